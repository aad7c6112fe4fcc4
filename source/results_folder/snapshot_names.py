"""Which files of a results folder belong together."""
import re
from pathlib import Path


def model_snapshots(folder, name):
    """{iteration: path} of the files `<name>_<iteration>.npz` of a results folder, in order.

    `name` is a model's class name; that of averaged weights has `_ema` behind it.
    """
    numbers = {path.stem.removeprefix(f'{name}_'): path for path in Path(folder).glob(f'{name}_*.npz')}
    return dict(sorted((int(number), path) for number, path in numbers.items() if number.isdecimal()))


def iteration_in(file_name, class_name):
    """The iteration in a file's name, as in `<class_name>_1200.npz`, and whether it is of averaged weights; or None."""
    found = re.fullmatch(rf'{re.escape(class_name)}(_ema)?_([0-9]{{1,18}})', Path(file_name).stem)
    return found and (int(found[2]), bool(found[1]))


def discriminator_beside(generator_path, class_name):
    """The discriminator's file of the same iteration; raises ValueError where it is not beside the generator's."""
    path = Path(generator_path)
    name, _, number = path.stem.rpartition('_')
    iteration = int(number) if name and number.isdecimal() and path.suffix == '.npz' else '<iteration>'
    beside = path.with_name(f'{class_name}_{iteration}.npz')
    if not beside.is_file():
        raise ValueError(f'{generator_path}: no discriminator ({beside.name}) beside it; name one with --dis_snapshot')
    return beside
