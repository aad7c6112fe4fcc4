"""The configs that come with the project, found by their names from any folder."""
import difflib
import os
from pathlib import Path

from source.command_line.commands_to_copy import CONFIGS
from source.command_line.standard_streams import tell


def find_config(name):
    """Return the path of the config that a user names: the file, or else the project's of this name, which is said.

    The project's are named as below its configs/, with or without that: 'sn_cifar10.yml', 'configs/methods/weight.yml'.
    What names neither is returned as it is.
    """
    path, shipped = Path(name), shipped_config(name)
    if os.path.isfile(name):
        if shipped and not path.samefile(shipped) and path.read_bytes() != shipped.read_bytes():
            tell(f"{name}: the file here is taken, not the project's config of this name")
        return name
    if shipped is None:
        return name
    tell(f"{name}: the project's config is taken, {shipped}")
    return str(shipped)


def nearest_configs(name):
    """Return the names of the project's configs most like a file's, none to three."""
    known = {str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob('*.yml')}
    return difflib.get_close_matches(str(name).removeprefix('configs/'), sorted(known), 3, 0.7)


def shipped_config(name):
    """Return the path of the project's config of this name, or None."""
    path = CONFIGS / str(name).removeprefix('configs/')
    is_ours = not Path(name).is_absolute() and os.path.isfile(path) and path.resolve().is_relative_to(CONFIGS)
    return path if is_ours else None
