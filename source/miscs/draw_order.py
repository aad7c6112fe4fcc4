"""The order in which images were generated, kept beside them: scores of splits and of the first images depend on it."""
import json
from pathlib import Path

from source.miscs.files import atomic_write
from source.miscs.plain_json import read_json
from source.miscs.standard_streams import tell

import numpy as np

FILE = 'draw_order.json'  # in the folder of the images
KEY = 'draw_order'  # in their .npz: int (N,), which draw each image is


def write_draw_order(folder, names):
    """Write FILE into a folder: `names`, relative to it, in the order in which their images were generated."""
    with atomic_write(Path(folder) / FILE) as file:
        file.write((json.dumps({'names': names}, indent=0) + '\n').encode())


def read_draw_order(folder, names):
    """Return which draw each of `names` is, int (N,), or None where the folder has no FILE or one of other images.

    The latter is said on standard error; images that were removed since do not matter. Raises ValueError where FILE
    holds something else.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    try:
        drawn = read_json(path)['names']
        place = {name: k for k, name in enumerate(drawn)}
        if not isinstance(drawn, list) or len(place) < len(drawn):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise ValueError(f'{path}: expected the names of images in the order they were generated, found something '
                         'else; without the file an order is drawn') from None
    others = [name for name in names if name not in place]
    if others:
        tell(f'{path}: not followed, as it does not name {others[0]}'
             + (f' and {len(others) - 1} more' if len(others) > 1 else ''))
        return None
    return np.array([place[name] for name in names])


def check_draw_order(path, array, n):
    """Raise ValueError unless an .npz's KEY numbers its n images, each with another number."""
    if array.shape != (n,) or array.dtype.kind not in 'iu' or len(np.unique(array)) < n:
        raise ValueError(f'{path}: {KEY}: expected ({n},) different integers, found {array.dtype} {array.shape}')
