"""Files written whole or not at all, and what identifies a file."""
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path):
    """Opens a binary file, to write and read, that appears under its name only when the block ends without an error."""
    path = Path(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(descriptor, 'w+b') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def file_sha256(path):
    """The SHA-256 of a file's content, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(2 ** 20):
            digest.update(part)
    return digest.hexdigest()
