"""Results folders: one run each, with the config and the versions it ran with."""
import platform
from importlib import metadata
from pathlib import Path

from source.files.atomic import remove_leftovers
from source.files.folders import make_folder, set_aside
from source.files.lock import claimed
from source.files.plain_yaml import write_yaml


def versions():
    """Versions of Python and of every package installed beside it, by name."""
    packages = {d.metadata['Name']: d.version for d in metadata.distributions() if d.metadata['Name']}
    return {'python': platform.python_version(), **dict(sorted(packages.items(), key=lambda item: item[0].lower()))}


def is_used(path):
    """Whether the folder holds a run."""
    return any((Path(path) / name).exists() for name in ('config.yml', 'log.json', 'log.jsonl'))


def begin(path, config, resumed, claims, is_done=False):
    """Makes a results folder ready for a run; an earlier run in it, unless `resumed` is a snapshot of it, is set aside.

    Writes `config.yml`, the resolved config with the versions of all packages; that of a run that is done stays as it
    is. `claims`, an ExitStack, keeps the folder for this process. Raises ValueError where another one has it.
    """
    is_training = f'{path}: another process is training there'
    if is_used(path) and not (resumed and Path(resumed).parent.samefile(path)):
        with claimed(path, is_training):
            print(f'{path} holds an earlier run; it is now {set_aside(path)}')
    claims.enter_context(claimed(make_folder(path), is_training))
    if not (is_done and Path(path, 'config.yml').is_file()):
        remove_leftovers(path)
        write_yaml(Path(path, 'config.yml'), {**config, 'versions': versions()})


def snapshots_in(path):
    """The `snapshot_iter_<iteration>` files of a folder, the highest iteration first."""
    return sorted((p for p in Path(path).glob('snapshot_iter_*') if p.name.removeprefix('snapshot_iter_').isdecimal()),
                  key=iteration_of, reverse=True)


def iteration_of(snapshot):
    return int(snapshot.name.rpartition('_')[2])


def newest_snapshot(path):
    """The first of `snapshots_in`, or None."""
    return next(iter(snapshots_in(path)), None)
