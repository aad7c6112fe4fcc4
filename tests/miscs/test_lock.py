import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

from source.miscs.lock import LockedError, claimed

import pytest

ELSEWHERE = '''
import sys
from source.miscs.lock import LockedError, claimed
try:
    with claimed(sys.argv[1], 'taken'):
        print('mine')
except LockedError as error:
    print(error)
'''


def elsewhere(folder):
    process = subprocess.run([sys.executable, '-c', ELSEWHERE, str(folder)], capture_output=True, text=True,
                             env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])})
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_one_process_at_a_time(tmp_path):
    with claimed(tmp_path, 'not expected'):
        assert elsewhere(tmp_path) == 'taken'
        with pytest.raises(LockedError, match='mine'), claimed(tmp_path, 'mine'):
            pass
    assert elsewhere(tmp_path) == 'mine'
    assert list(tmp_path.iterdir()) == []


def test_where_folders_cannot_be_locked_a_file_in_it_is(tmp_path, monkeypatch):
    """As on NFS. Where neither can be, as there too, one goes without."""
    flock, refused = fcntl.flock, [stat.S_ISDIR]

    def of_nfs(file, operation):
        if any(kind(os.fstat(file if isinstance(file, int) else file.fileno()).st_mode) for kind in refused):
            raise OSError(errno.EBADF, 'Bad file descriptor')
        flock(file, operation)
    monkeypatch.setattr(fcntl, 'flock', of_nfs)
    with claimed(tmp_path, 'not expected'), pytest.raises(LockedError, match='taken'), claimed(tmp_path, 'taken'):
        pass
    with claimed(tmp_path, 'not expected'):
        pass
    refused.append(stat.S_ISREG)
    with claimed(tmp_path, 'not expected'), claimed(tmp_path, 'not expected'):
        pass
