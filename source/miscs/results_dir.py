"""Results folders: one run each, with the config and the versions it ran with."""
import platform
from importlib import metadata
from pathlib import Path

from source.yaml_utils import save_config


def versions():
    """Versions of Python and of every package installed beside it, by name."""
    packages = {d.metadata['Name']: d.version for d in metadata.distributions() if d.metadata['Name']}
    return {'python': platform.python_version(), **dict(sorted(packages.items(), key=lambda item: item[0].lower()))}


def is_used(path):
    """Whether the folder holds a run."""
    return any((Path(path) / name).exists() for name in ('config.yml', 'log.json'))


def set_aside(path):
    """Renames a folder that holds a run to the first free `<path>.old-<n>` and returns that."""
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


def make_folder(path):
    """Makes a folder and those above it, where they are missing; raises ValueError where that cannot be done."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f'{path}: expected a folder to write to: {error.strerror}') from None
    return Path(path)


def create(path, config):
    """Makes the folder and writes `config.yml`, the resolved config with the versions of all packages."""
    path = make_folder(path)
    save_config(path / 'config.yml', {**config, 'versions': versions()})
    return path


def newest_snapshot(path):
    """The `snapshot_iter_<iteration>` of the highest iteration in a folder, or None."""
    snapshots = [p for p in Path(path).glob('snapshot_iter_*') if p.name.removeprefix('snapshot_iter_').isdigit()]
    return max(snapshots, key=lambda p: int(p.name.removeprefix('snapshot_iter_')), default=None)
