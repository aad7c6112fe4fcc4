"""The idx files of MNIST and Fashion-MNIST, gzipped or not, and what Chainer's cache has of them."""
import gzip
import os
import struct
import zlib

from source.datasets.files import check_array, check_labels, find_in_folders, nothing_in, read_cached_npz

import chainer
import numpy as np

FULL_SIZE = 28


def idx_names(part):
    """Return the names of the images and labels of a part, 'train' or 't10k', without .gz."""
    return [f'{part}-images-idx3-ubyte', f'{part}-labels-idx1-ubyte']


def find_idx_files(folder, part, below=('',)):
    """Return the paths of a part's images and labels in a folder, or in the first of those `below` it with any."""
    names = idx_names(part)
    paths = find_in_folders(folder, [f'{name}.gz' for name in names], below) or find_in_folders(folder, names, below)
    if paths is None:
        raise nothing_in(folder, ' and '.join(f'{name}.gz' for name in names))
    return list(paths.values())


def cached_npz(name, part):
    """Return the path of what Chainer's `get_mnist` or `get_fashion_mnist` keeps, or None without such a file."""
    path = os.path.join(chainer.dataset.get_dataset_root(), 'pfnet', 'chainer', name,
                        f'{"train" if part == "train" else "test"}.npz')
    return path if os.path.exists(path) else None


def read_cached(path, n_of_class):
    """Return images, uint8 (N, 28, 28), and labels, uint8 (N,), of a file of Chainer's cache.

    Raises ValueError unless there are `n_of_class` images of each class.
    """
    ims, labels = read_cached_npz(path, ('x', 'y'))
    check_array(path, 'images', ims, (sum(n_of_class), FULL_SIZE ** 2))
    return _checked(path, path, ims.reshape(-1, FULL_SIZE, FULL_SIZE), labels, n_of_class)


def read_idx_files(x_path, y_path, n_of_class):
    """Return what `read_cached` does, of a part's two files."""
    return _checked(x_path, y_path, _read(x_path, 3), _read(y_path, 1), n_of_class)


def _checked(x_path, y_path, ims, labels, n_of_class):
    check_array(x_path, 'images', ims, (sum(n_of_class), FULL_SIZE, FULL_SIZE))
    check_array(y_path, 'labels', labels, (sum(n_of_class),))
    check_labels(y_path, labels, 0, len(n_of_class) - 1)
    found = np.bincount(labels, minlength=len(n_of_class)).tolist()
    if found != list(n_of_class):  # the files of several data sets have the same names and shapes
        raise ValueError(f'{y_path}: expected {", ".join(map(str, n_of_class))} images of the classes, found '
                         f'{", ".join(map(str, found))}: another data set')
    return ims, labels


def _read(path, ndim):
    """An idx file of unsigned bytes: zero, zero, 8, the number of axes; their lengths, big-endian; the bytes."""
    with open(path, 'rb') as file:
        content = file.read()
    if content[:2] == b'\x1f\x8b':
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f'{path}: expected a gzipped idx file, found {len(content)} bytes that cannot be '
                             f'unpacked ({error})') from error
    header = 4 + 4 * ndim
    if content[:4] != bytes((0, 0, 8, ndim)) or len(content) < header:
        raise ValueError(f'{path}: expected an idx file of bytes with {ndim} axes, found one that begins '
                         f'{content[:4].hex(" ") or "with nothing"}')
    shape = struct.unpack(f'>{ndim}i', content[4:header])
    if len(content) - header != np.prod(shape, dtype=int):
        raise ValueError(f'{path}: expected {shape} bytes after the header, found {len(content) - header}')
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def check_size(size):
    """Raise ValueError for a size that `in_margin` does not take."""
    if size < FULL_SIZE or size % 2:
        raise ValueError(f'size: expected an even number from {FULL_SIZE} px, got {size!r}')


def in_margin(ims, size):
    """Return images, (N, 28, 28), in the middle of black ones, (N, `size`, `size`)."""
    margin = (size - FULL_SIZE) // 2
    return np.pad(ims, ((0, 0), (margin, margin), (margin, margin)))
