"""Folders to write to: made, refused in one line, set aside, or there only when they are whole."""
import contextlib
import errno
import os
import shutil
from pathlib import Path

from source.files.atomic import temporary_beside

_made = []  # by make_folder in this process


def check_folder(path):
    """Raise ValueError where `make_folder` would, as far as can be told without making anything."""
    path = Path(path)
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    is_broken = path.is_symlink() and not path.exists()
    number = errno.EEXIST if is_broken else errno.ENOTDIR if not nearest.is_dir() else _number_of_refusal(nearest)
    if number:
        raise ValueError(f'{path}: expected a folder to write to: {os.strerror(number)}')


def _number_of_refusal(folder):
    if os.access(folder, os.W_OK | os.X_OK):
        return None
    return errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES


def make_folder(path):
    """Makes a folder and those above it, where they are missing.

    Raises ValueError where that cannot be done, and where nothing can be written into it.
    """
    path = Path(path)
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        number = _number_of_refusal(path)
        if number:
            raise OSError(number, os.strerror(number))
    except OSError as error:
        raise ValueError(f'{path}: expected a folder to write to: {error.strerror}') from None
    _made.extend(reversed(missing))
    return path


@contextlib.contextmanager
def no_empty_folders():
    """Where the block ends with an error, those folders that `make_folder` made within it and are empty go again."""
    first = len(_made)
    try:
        yield
    except BaseException:
        for path in reversed(_made[first:]):
            with contextlib.suppress(OSError):
                path.rmdir()  # which refuses one that holds something
        raise
    finally:
        del _made[first:]


@contextlib.contextmanager
def whole_folder(path):
    """Gives a folder to write into that is at `path` only when the block ends without an error.

    What was there is set aside then, and that is said. What a killed process left of it is removed.
    """
    path = Path(path)
    descriptor, unfinished = temporary_beside(path, folder=True)
    unfinished = Path(unfinished)
    try:
        yield unfinished
        if path.exists():
            print(f'{path} holds earlier files; it is now {set_aside(path)}')
        unfinished.chmod(0o755)
        unfinished.rename(path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def set_aside(path):
    """Renames a folder, as one that holds a run, to the first free `<path>.old-<n>` and returns that."""
    path = Path(path)
    if not path.name:
        raise ValueError(f'{path} holds an earlier run and cannot be renamed: expected another results folder')
    n = 1
    while (aside := path.with_name(f'{path.name}.old-{n}')).exists():
        n += 1
    try:
        return path.rename(aside)
    except OSError as error:
        raise ValueError(f'{path} holds an earlier run and cannot be renamed to {aside}: {error.strerror}') from None
