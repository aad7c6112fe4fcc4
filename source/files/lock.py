import contextlib
import fcntl
import os


class LockedError(ValueError):
    """A folder that another process is at work in."""


@contextlib.contextmanager
def claimed(folder, message):
    """Keeps a folder for this process, however that ends; raises LockedError(message) where another one has it."""
    with contextlib.ExitStack() as stack:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, descriptor)
        try:
            _lock(descriptor, message)
        except OSError:  # as of NFS, which locks no folders, but files
            with contextlib.suppress(OSError):
                _lock(stack.enter_context(open(os.path.join(folder, '.lock'), 'a')), message)
        yield


def _lock(file, message):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(message) from None
