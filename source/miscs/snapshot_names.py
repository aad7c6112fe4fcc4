"""Which files of a results folder belong together."""
import re
from pathlib import Path

_NAME = re.compile(r'(?P<model>.+?)(?P<ema>_ema)?_(?P<iteration>\d+)\.npz')


def iteration_of(path):
    """The iteration in a model's file name `<class name>_<iteration>.npz` (or `_ema_<iteration>`), or None."""
    match = _NAME.fullmatch(Path(path).name)
    return int(match['iteration']) if match else None


def model_snapshots(folder, class_name, ema=False):
    """{iteration: path} of a model's files in a results folder, in order; with `ema` of its averaged weights."""
    found = {}
    for path in Path(folder).glob(f'{class_name}_*.npz'):
        match = _NAME.fullmatch(path.name)
        if match and match['model'] == class_name and bool(match['ema']) == ema:
            found[int(match['iteration'])] = path
    return dict(sorted(found.items()))


def discriminator_beside(generator_path, class_name):
    """The discriminator's file of the same iteration; raises ValueError where it is not beside the generator's."""
    iteration = iteration_of(generator_path)
    path = Path(generator_path).with_name(f'{class_name}_{iteration}.npz')
    if iteration is None or not path.is_file():
        expected = path.name if iteration is not None else f'{class_name}_<iteration>.npz'
        raise ValueError(f'{generator_path}: no discriminator ({expected}) beside it; name one with --dis_snapshot')
    return path
