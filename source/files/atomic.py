"""Files written whole or not at all, and what identifies a file."""
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

_TEMPORARY = re.compile(r'\.(?P<name>.+)\.[a-z0-9_]{8}\.part')


@contextlib.contextmanager
def atomic_write(path):
    """Opens a binary file, to write and read, that appears under its name only when the block ends without an error.

    It is on the disk by then, its name too. An OSError names the file. What a killed process left of it is removed.
    """
    path = Path(path)
    temporary = None
    try:
        descriptor, temporary = temporary_beside(path)
        with os.fdopen(descriptor, 'w+b') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)  # still locked, as `remove_leftovers` takes what is not
            temporary = None
        sync_folder(path.parent)
    except OSError as error:
        if error.filename is None or Path(error.filename).name.startswith(f'.{path.name}.'):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # what went wrong before says more
                os.unlink(temporary)


def sync_folder(path):
    """Brings a folder's names to the disk, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def temporary_beside(path, folder=False):
    """Makes a hidden file, or folder, beside `path`: (descriptor, name). As long as that is open it is no leftover.

    Those of the same path that a killed process left are removed.
    """
    path = Path(path)
    remove_leftovers(path.parent, path.name)
    where = {'prefix': f'.{path.name}.', 'suffix': '.part', 'dir': path.parent}
    while True:
        if folder:
            name = tempfile.mkdtemp(**where)
            descriptor = os.open(name, os.O_RDONLY)
        else:
            descriptor, name = tempfile.mkstemp(**where)
        with contextlib.suppress(OSError):  # some network file systems lock nothing
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.exists(name):
            return descriptor, name
        os.close(descriptor)  # another process took it for a leftover, before it was locked


def remove_leftovers(folder, name=None):
    """Removes what `temporary_beside` made in a folder, for `name` or for any, in processes that were killed."""
    for path in Path(folder).glob('.*.part'):
        found = _TEMPORARY.fullmatch(path.name)
        if found and name in (None, found['name']):
            with contextlib.suppress(OSError):
                _remove_unless_locked(path)


def _remove_unless_locked(path):
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def file_sha256(path):
    """The SHA-256 of a file's content, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(2 ** 20):
            digest.update(part)
    return digest.hexdigest()
