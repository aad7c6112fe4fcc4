"""Results folders: one run each, with the config and the versions it ran with."""
import contextlib
import errno
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from source.miscs.files import remove_leftovers, temporary_beside
from source.miscs.lock import claimed
from source.yaml_utils import save_config

_made = []  # by make_folder in this process


def versions():
    """Versions of Python and of every package installed beside it, by name."""
    packages = {d.metadata['Name']: d.version for d in metadata.distributions() if d.metadata['Name']}
    return {'python': platform.python_version(), **dict(sorted(packages.items(), key=lambda item: item[0].lower()))}


def is_used(path):
    """Whether the folder holds a run."""
    return any((Path(path) / name).exists() for name in ('config.yml', 'log.json', 'log.jsonl'))


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


def begin(path, config, resumed, claims, is_done=False):
    """Makes a results folder ready for a run; an earlier run in it, unless `resumed` is a snapshot of it, is set aside.

    The config.yml of a run that is done stays as it is. `claims`, an ExitStack, keeps the folder for this process.
    Raises ValueError where another one has it.
    """
    is_training = f'{path}: another process is training there'
    if is_used(path) and not (resumed and Path(resumed).parent.samefile(path)):
        with claimed(path, is_training):
            print(f'{path} holds an earlier run; it is now {set_aside(path)}')
    claims.enter_context(claimed(make_folder(path), is_training))
    if not (is_done and Path(path, 'config.yml').is_file()):
        create(path, config)


def create(path, config):
    """Makes the folder and writes `config.yml`, the resolved config with the versions of all packages."""
    path = make_folder(path)
    remove_leftovers(path)
    save_config(path / 'config.yml', {**config, 'versions': versions()})
    return path


def snapshots_in(path):
    """The `snapshot_iter_<iteration>` files of a folder, the highest iteration first."""
    return sorted((p for p in Path(path).glob('snapshot_iter_*') if p.name.removeprefix('snapshot_iter_').isdecimal()),
                  key=iteration_of, reverse=True)


def iteration_of(snapshot):
    return int(snapshot.name.rpartition('_')[2])


def newest_snapshot(path):
    """The first of `snapshots_in`, or None."""
    return next(iter(snapshots_in(path)), None)
