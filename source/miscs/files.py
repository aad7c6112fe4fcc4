"""Files written whole or not at all, and what identifies a file."""
import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

_TEMPORARY = re.compile(r'\..+\.[a-z0-9_]{8}\.part')


@contextlib.contextmanager
def atomic_write(path):
    """Opens a binary file, to write and read, that appears under its name only when the block ends without an error.

    It is on the disk by then, its name too. An OSError names the file.
    """
    path = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', suffix='.part', dir=path.parent)
        with os.fdopen(descriptor, 'w+b') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        if error.filename is None or Path(error.filename).name.startswith(f'.{path.name}.'):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    finally:
        if temporary is not None:
            os.unlink(temporary)


def sync_folder(path):
    """Brings a folder's names to the disk, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder):
    """Removes what `atomic_write` left in a folder when a process was killed in it."""
    for path in Path(folder).glob('.*.part'):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def file_sha256(path):
    """The SHA-256 of a file's content, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(2 ** 20):
            digest.update(part)
    return digest.hexdigest()
