import contextlib
import errno
import hashlib
import os
import stat

from source.miscs.files import atomic_write, file_sha256, remove_leftovers
from tests import children

import pytest

KILLED = '''
import os, signal, sys
from source.miscs.files import atomic_write
for path in sys.argv[1:]:
    if os.fork() == 0:
        with atomic_write(path) as file:
            file.write(b'half')
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL
'''


def test_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'a'
    with atomic_write(path) as file:
        file.write(b'one')
        assert os.listdir(tmp_path) != ['a']
    with contextlib.suppress(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b'two')
        raise KeyboardInterrupt
    assert path.read_bytes() == b'one'
    assert os.listdir(tmp_path) == ['a']
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_error_names_the_file(tmp_path):
    def failing(path, fail):
        with pytest.raises(OSError) as caught, atomic_write(path):
            fail()
        return caught.value

    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')
    path = tmp_path / 'a'
    error = failing(path, full)
    assert (error.filename, error.strerror) == (str(path), 'No space left on device')
    for blamed, where, fail in ((tmp_path / 'none' / 'a', tmp_path / 'none' / 'a', full),
                                (tmp_path / 'another', path, lambda: open(tmp_path / 'another')),
                                (path, path, lambda: os.unlink(next(tmp_path.iterdir())))):
        error = failing(where, fail)
        assert type(error) is FileNotFoundError and error.filename == str(blamed)
    assert os.listdir(tmp_path) == []


def test_file_and_folder_are_synced_around_the_renaming(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace

    def noted_fsync(descriptor):
        calls.append('folder' if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 'file')
        fsync(descriptor)
    monkeypatch.setattr(os, 'fsync', noted_fsync)
    monkeypatch.setattr(os, 'replace', lambda a, b: (calls.append('rename'), replace(a, b)))
    content = os.urandom(2 ** 20 + 77)
    with atomic_write(tmp_path / 'a') as file:
        file.write(content)
    assert calls == ['file', 'rename', 'folder']
    assert file_sha256(tmp_path / 'a') == hashlib.sha256(content).hexdigest()


def test_leftovers_of_killed_processes(tmp_path):
    """The next write takes those of its own name, whatever characters are in it; `remove_leftovers` all, no more."""
    names = ['a[1].png', 'a1.png', 'b.a[1].png']
    assert children.python('-c', KILLED, *(tmp_path / name for name in names)) == (0, '', '')
    left = sorted(os.listdir(tmp_path))
    assert [name.rpartition('.png.')[0] for name in left] == ['.a1', '.a[1]', '.b.a[1]']
    with atomic_write(tmp_path / 'a[1].png') as file:
        file.write(b'whole')
    assert sorted(os.listdir(tmp_path)) == [left[0], left[2], 'a[1].png']
    others = {'.hidden.part', 'a.part', '.a.tooshort', 'snapshot_iter_3'}
    for name in others:
        (tmp_path / name).write_text('mine')
    remove_leftovers(tmp_path)
    assert set(os.listdir(tmp_path)) == {*others, 'a[1].png'}


def test_what_is_being_written_is_no_leftover(tmp_path):
    """By another process, or twice at the same time: the last to end stays."""
    with atomic_write(tmp_path / 'a') as first, atomic_write(tmp_path / 'a') as second:
        first.write(b'first')
        second.write(b'second')
        remove_leftovers(tmp_path)
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'first'
