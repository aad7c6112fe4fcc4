import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

from source.miscs.files import atomic_write, file_sha256, remove_leftovers

import pytest


def test_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'a'
    with atomic_write(path) as file:
        file.write(b'one')
        assert os.listdir(tmp_path) != ['a']
    assert path.read_bytes() == b'one'
    with pytest.raises(KeyboardInterrupt):
        _write_half(path)
    assert path.read_bytes() == b'one'
    assert os.listdir(tmp_path) == ['a']
    assert path.stat().st_mode & 0o777 == 0o644


def test_sha256(tmp_path):
    content = os.urandom(2 ** 20 + 77)
    (tmp_path / 'a').write_bytes(content)
    assert file_sha256(tmp_path / 'a') == hashlib.sha256(content).hexdigest()


def _write_half(path):
    with atomic_write(path) as file:
        file.write(b'two')
        raise KeyboardInterrupt


def test_an_error_names_the_file(tmp_path):
    with pytest.raises(OSError) as caught, atomic_write(tmp_path / 'a'):
        raise OSError(errno.ENOSPC, 'No space left on device')
    assert (caught.value.filename, caught.value.strerror) == (str(tmp_path / 'a'), 'No space left on device')
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / 'none' / 'a'):
        pass
    assert caught.value.filename == str(tmp_path / 'none' / 'a')
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / 'a'):
        open(tmp_path / 'another')
    assert caught.value.filename == str(tmp_path / 'another')
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / 'a'):
        os.unlink(file_in(tmp_path))
    assert caught.value.filename == str(tmp_path / 'a')
    assert os.listdir(tmp_path) == []


def file_in(folder):
    file, = folder.iterdir()
    return file


def test_file_and_folder_are_synced_around_the_renaming(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda d: (calls.append('folder' if stat.S_ISDIR(os.fstat(d).st_mode) else 'file'),
                                                fsync(d)))
    monkeypatch.setattr(os, 'replace', lambda a, b: (calls.append('rename'), replace(a, b)))
    with atomic_write(tmp_path / 'a') as file:
        file.write(b'one')
    assert calls == ['file', 'rename', 'folder']


def killed_while_it_writes(path):
    program = f'''
import os, signal
from source.miscs.files import atomic_write
with atomic_write({str(path)!r}) as file:
    file.write(b'half')
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
'''
    process = subprocess.run([sys.executable, '-c', program],
                             env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])})
    assert process.returncode == -signal.SIGKILL


def test_leftovers_of_a_killed_process(tmp_path):
    """They go, and nothing else does."""
    killed_while_it_writes(tmp_path / 'snapshot_iter_3')
    left, = os.listdir(tmp_path)
    assert left.startswith('.snapshot_iter_3.')
    others = {'.hidden.part', 'a.part', '.a.tooshort', 'snapshot_iter_3'}
    for name in others:
        (tmp_path / name).write_text('mine')
    remove_leftovers(tmp_path)
    assert set(os.listdir(tmp_path)) == others


def test_the_next_write_removes_what_a_killed_one_left(tmp_path):
    """Of its own name alone, whatever characters are in it."""
    for name in ('a[1].png', 'a1.png', 'b.a[1].png'):
        killed_while_it_writes(tmp_path / name)
    others = [name for name in os.listdir(tmp_path) if not name.startswith('.a[1].png.')]
    assert len(others) == 2
    with atomic_write(tmp_path / 'a[1].png') as file:
        file.write(b'whole')
    assert sorted(os.listdir(tmp_path)) == sorted([*others, 'a[1].png'])


def test_what_is_being_written_is_no_leftover(tmp_path):
    """By another process, or twice at the same time: the last to end stays."""
    with atomic_write(tmp_path / 'a') as first, atomic_write(tmp_path / 'a') as second:
        first.write(b'first')
        second.write(b'second')
        remove_leftovers(tmp_path)
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'first'
