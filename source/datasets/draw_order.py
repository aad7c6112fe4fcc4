"""The order in which images were generated, kept beside them: scores of splits and of the first images depend on it."""
import json
import os
from pathlib import Path

from source.command_line.standard_streams import tell
from source.files.atomic import atomic_write
from source.files.plain_json import read_json

import numpy as np

FILE = 'draw_order.json'  # in the folder of the images
KEY = 'draw_order'  # in their .npz: int (N,), which draw each image is


def write_draw_order(folder, names):
    """Write FILE into a folder: `names`, relative to it, in the order in which their images were generated."""
    sizes = [os.path.getsize(Path(folder) / name) for name in names]
    with atomic_write(Path(folder) / FILE) as file:
        file.write((json.dumps({'names': names, 'bytes': sizes}, indent=0) + '\n').encode())


def read_draw_order(folder, names):
    """Return which draw each of `names` is, int (N,), or None where the folder has no FILE or one of other images.

    The latter, a name that it does not hold or a file of another size, is said on standard error; images that were
    removed since do not matter. Raises ValueError where FILE holds something else.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    try:
        content = read_json(path)
        drawn = {name: (k, size) for k, (name, size) in enumerate(zip(content['names'], content['bytes'], strict=True))}
        if len(drawn) < len(content['names']) or not isinstance(content['names'], list):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise ValueError(f'{path}: expected the names of images in the order they were generated, found something '
                         'else; without the file an order is drawn') from None
    others = [name for name in names if name not in drawn or drawn[name][1] != os.path.getsize(Path(folder) / name)]
    if others:
        more = f' and {len(others) - 1} more' if len(others) > 1 else ''
        tell(f'{path}: not followed, as {others[0]}{more} was not generated with the others, or changed since')
        return None
    return np.array([drawn[name][0] for name in names])


def check_draw_order(path, array, n):
    """Raise ValueError unless an .npz's KEY numbers its n images, each with another number."""
    if array.shape != (n,) or array.dtype.kind not in 'iu' or len(np.unique(array)) < n:
        raise ValueError(f'{path}: {KEY}: expected ({n},) different integers, found {array.dtype} {array.shape}')
