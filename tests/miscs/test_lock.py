import errno
import fcntl
import os
import stat

from source.miscs.lock import LockedError, claimed


def is_taken(folder):
    """A lock is of an open file, so that a second one in this process is as one of another."""
    try:
        with claimed(folder, 'taken'):
            return False
    except LockedError as error:
        return str(error) == 'taken'


def test_one_at_a_time(tmp_path):
    with claimed(tmp_path, 'not expected'):
        assert is_taken(tmp_path)
    assert not is_taken(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_where_folders_cannot_be_locked_a_file_in_it_is(tmp_path, monkeypatch):
    """As on NFS. Where neither can be, as there too, one goes without."""
    flock, refused = fcntl.flock, [stat.S_ISDIR]

    def of_nfs(file, operation):
        if any(kind(os.fstat(file if isinstance(file, int) else file.fileno()).st_mode) for kind in refused):
            raise OSError(errno.EBADF, 'Bad file descriptor')
        flock(file, operation)
    monkeypatch.setattr(fcntl, 'flock', of_nfs)
    with claimed(tmp_path, 'not expected'):
        assert is_taken(tmp_path)
    assert not is_taken(tmp_path)
    refused.append(stat.S_ISREG)
    with claimed(tmp_path, 'not expected'):
        assert not is_taken(tmp_path)
