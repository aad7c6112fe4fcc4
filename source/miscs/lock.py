import contextlib
import fcntl

from source.miscs.results_dir import make_folder


class LockedError(ValueError):
    """A folder that another process is at work in."""


@contextlib.contextmanager
def locked(path, message):
    """Holds the file `path`, made where it is missing, for this process alone; raises LockedError(message) if it can't.

    The lock goes with the process, however that ends.
    """
    make_folder(path.parent)
    with open(path, 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockedError(message) from None
        yield
