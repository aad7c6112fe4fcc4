"""Files and folders that appear whole or not at all, under names that nobody else has taken."""
import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
from pathlib import Path

from source.files import folders
from source.files.atomic import atomic_write, file_sha256, remove_leftovers
from source.files.lock import LockedError, claimed
from source.results_folder import results_dir

import pytest


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def test_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    """File and folder are synced around the renaming."""
    calls, fsync, replace = [], os.fsync, os.replace

    def noted_fsync(descriptor):
        calls.append('folder' if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 'file')
        fsync(descriptor)
    monkeypatch.setattr(os, 'fsync', noted_fsync)
    monkeypatch.setattr(os, 'replace', lambda a, b: (calls.append('rename'), replace(a, b)))
    path, content = tmp_path / 'a', os.urandom(2 ** 20 + 77)
    with atomic_write(path) as file:
        file.write(content)
        temporary, = os.listdir(tmp_path)
    assert re.fullmatch(r'\.a\.[a-z0-9_]{8}\.part', temporary)
    assert calls == ['file', 'rename', 'folder']
    with contextlib.suppress(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b'two')
        raise KeyboardInterrupt
    assert file_sha256(path) == hashlib.sha256(content).hexdigest()
    assert os.listdir(tmp_path) == ['a'] and path.stat().st_mode & 0o777 == 0o644


def test_an_error_names_the_file(tmp_path):
    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')
    path, none, another = tmp_path / 'a', tmp_path / 'none' / 'a', tmp_path / 'another'
    for where, fail, number, blamed in (
            (path, full, errno.ENOSPC, path), (none, full, errno.ENOENT, none),
            (path, lambda: open(another), errno.ENOENT, another),
            (path, lambda: os.unlink(next(tmp_path.iterdir())), errno.ENOENT, path)):
        with pytest.raises(OSError) as caught, atomic_write(where):
            fail()
        error = caught.value
        assert (error.errno, error.strerror, error.filename) == (number, os.strerror(number), str(blamed))
    assert os.listdir(tmp_path) == []


def test_leftovers_of_killed_processes(tmp_path):
    """The next write takes those of its own name, whatever characters are in it; `remove_leftovers` all, no more."""
    left = ['.a1.png.abcdefgh.part', '.b.a[1].png.abcdefgh.part', '.a[1].png.abcdefgh.part']
    others = ['.hidden.part', 'a.part', '.a.tooshort', 'snapshot_iter_3']
    for name in left + others:
        (tmp_path / name).touch()
    with atomic_write(tmp_path / 'a[1].png') as file:
        file.write(b'whole')
    assert names_in(tmp_path) == sorted([*left[:2], *others, 'a[1].png'])
    remove_leftovers(tmp_path)
    assert names_in(tmp_path) == sorted([*others, 'a[1].png'])


def test_what_is_being_written_is_no_leftover(tmp_path):
    """By another process, or twice at the same time: the last to end stays."""
    with atomic_write(tmp_path / 'a') as first, atomic_write(tmp_path / 'a') as second:
        first.write(b'first')
        second.write(b'second')
        remove_leftovers(tmp_path)
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'first'


def test_a_results_folder_that_is_used_is_set_aside_under_the_first_free_name(tmp_path):
    out = tmp_path / 'out'
    for n, name in enumerate(('config.yml', 'log.json', 'log.jsonl'), 1):
        out.mkdir()
        (out / 'notes.txt').touch()
        assert not results_dir.is_used(out)
        (out / name).touch()
        assert results_dir.is_used(out) and folders.set_aside(out) == tmp_path / f'out.old-{n}'
        assert names_in(tmp_path / f'out.old-{n}') == [name, 'notes.txt']


def test_newest_snapshot_is_the_one_of_the_highest_number(tmp_path):
    assert results_dir.newest_snapshot(tmp_path / 'none') is None
    for name in ('snapshot_iter_9', 'snapshot_iter_10', 'snapshot_iter_2', 'snapshot_iter_99.tmp', 'snapshot_iter_x',
                 '.snapshot_iter_11.abc', 'ResNetGenerator_50.npz'):
        (tmp_path / name).touch()
    assert results_dir.newest_snapshot(tmp_path) == tmp_path / 'snapshot_iter_10'


def test_a_folder_in_the_making_and_one_that_a_killed_process_left(tmp_path):
    with contextlib.suppress(KeyboardInterrupt), folders.whole_folder(tmp_path / 'images') as unfinished:
        (unfinished / 'one').touch()
        results_dir.remove_leftovers(tmp_path)
        assert unfinished.exists()
        raise KeyboardInterrupt
    assert names_in(tmp_path) == []
    left = tmp_path / '.images.abcdefgh.part'  # as SIGKILL leaves it: no process holds it
    left.mkdir()
    (left / 'one').touch()
    (tmp_path / '.others.abcdefgh.part').mkdir()
    with folders.whole_folder(tmp_path / 'images') as unfinished:
        (unfinished / 'two').touch()
    assert names_in(tmp_path) == ['.others.abcdefgh.part', 'images', 'images/two']


def test_no_empty_folders(tmp_path):
    (tmp_path / 'kept/mine').mkdir(parents=True)
    with folders.no_empty_folders():
        folders.make_folder(tmp_path / 'well' / 'done')
    with contextlib.suppress(ZeroDivisionError), folders.no_empty_folders():
        for name in ('a/b/c', 'd/e', 'kept/mine', 'kept/f'):
            folders.make_folder(tmp_path / name)
        (tmp_path / 'd' / 'file').touch()
        raise ZeroDivisionError
    assert names_in(tmp_path) == ['d', 'd/file', 'kept', 'kept/mine', 'well', 'well/done']


def test_where_no_folder_can_be_made_or_written_to(tmp_path, monkeypatch):
    folders.check_folder(tmp_path / 'a' / 'b')
    assert names_in(tmp_path) == []
    (tmp_path / 'file').touch()
    (tmp_path / 'link').symlink_to('nowhere')
    for name in ('file', 'file/a', 'link'):
        with pytest.raises(ValueError, match='expected a folder to write to'):
            folders.check_folder(tmp_path / name)
    # Root may write anywhere, so the system's answer is made up.
    monkeypatch.setattr(folders.os, 'access', lambda path, mode: Path(path) != tmp_path)
    assert folders.make_folder(tmp_path / 'below') == tmp_path / 'below'
    with pytest.raises(ValueError, match='expected a folder to write to: Permission denied$'):
        folders.make_folder(tmp_path)


def is_taken(folder):
    """A lock is of an open file, so that a second one in this process is as one of another."""
    try:
        with claimed(folder, 'taken'):
            return False
    except LockedError as error:
        return str(error) == 'taken'


def test_one_process_at_a_time_also_where_folders_cannot_be_locked(tmp_path, monkeypatch):
    """But a file in it, as on NFS. Where neither can be, as there too, one goes without."""
    flock, refused = fcntl.flock, []

    def of_nfs(file, operation):
        if any(kind(os.fstat(file if isinstance(file, int) else file.fileno()).st_mode) for kind in refused):
            raise OSError(errno.EBADF, 'Bad file descriptor')
        flock(file, operation)
    monkeypatch.setattr(fcntl, 'flock', of_nfs)
    for more, expected, left in (([], True, []), ([stat.S_ISDIR], True, ['.lock']), ([stat.S_ISREG], False, ['.lock'])):
        refused.extend(more)
        with claimed(tmp_path, 'not expected'):
            assert is_taken(tmp_path) == expected
        assert not is_taken(tmp_path) and os.listdir(tmp_path) == left
