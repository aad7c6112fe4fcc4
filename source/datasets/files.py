"""What the readers of data sets share: the files of a folder or of Chainer's cache, and what is wrong with them."""
import os

from source.datasets.cached_download import cached_download
from source.files.plain_npz import read_plain_npz

import chainer
import numpy as np


def find_in_folders(root, names, folders=('',)):
    """{name: path} of all files `names` in the first of root's `folders` that holds any of them, or None.

    Raises FileNotFoundError where one is missing beside the others.
    """
    for folder in (os.path.join(root, folder) for folder in folders):
        paths = {name: os.path.join(folder, name) for name in names}
        found = [path for path in paths.values() if os.path.isfile(path)]
        if found:
            for path in paths.values():
                if path not in found:
                    raise FileNotFoundError(f'{path}: expected it beside {os.path.basename(found[0])}, found no file')
            return paths
    return None


def nothing_in(root, expected):
    """The FileNotFoundError of a folder without the data."""
    found = ', '.join(sorted(os.listdir(root))[:5]) or 'nothing' if os.path.isdir(root) else 'no such folder'
    return FileNotFoundError(f'{root}: expected a folder with {expected}, found {found}')


def download(url, n_bytes, name, what):
    """The path of a cached download. Raises FileNotFoundError, saying what to do, where it cannot be had."""
    try:
        return cached_download(url, n_bytes)
    except OSError as error:
        raise FileNotFoundError(f"{what} is not in Chainer's cache ({chainer.dataset.get_dataset_root()}), and {url} "
                                f'could not be fetched ({error}); expected {name} in a folder given as root '
                                '(--data_dir)') from error


def read_cached_npz(path, names, found_in='Chainer'):
    """The named arrays of a converted .npz in Chainer's cache; ValueError where it is none or lacks one."""
    try:
        arrays = read_plain_npz(path, 'file', names=names)
        return [arrays[name] for name in names]
    except (ValueError, KeyError) as error:
        found = str(error).removeprefix(f'{path}: ') if isinstance(error, ValueError) else f'no {error}'
        raise ValueError(f"{path}: expected {found_in}'s {' and '.join(names)}, found {found}") from error


def check_array(path, what, array, shape):
    """Raises ValueError unless `array` is uint8 of this shape, None standing for any length."""
    found = getattr(array, 'shape', ())
    if getattr(array, 'dtype', None) != np.uint8 or len(found) != len(shape) or any(
            n is not None and n != m for n, m in zip(shape, found, strict=True)):
        expected = ', '.join('any' if n is None else str(n) for n in shape)
        raise ValueError(f'{path}: expected {what}, uint8 ({expected}); found '
                         f'{getattr(array, "dtype", type(array).__name__)} {found}')


def check_labels(path, labels, lowest, highest):
    if len(labels) and not lowest <= labels.min() <= labels.max() <= highest:
        raise ValueError(f'{path}: expected labels {lowest} to {highest}, found {labels.min()} to {labels.max()}')


def reason(error):
    """What an exception says, in one line."""
    return f'{type(error).__name__}: {" ".join(str(error).split())[:200]}'
