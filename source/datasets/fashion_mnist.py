"""Fashion-MNIST from its idx files, gzipped or not: a folder's, Debian's, Chainer's or downloaded."""
import gzip
import os
import struct
import zlib

from source.datasets.files import check_array, check_labels, download, find_in_folders, nothing_in, read_cached_npz
from source.datasets.image_dataset import ImageDataset, check_channels, in_channels

import chainer
import numpy as np

URL = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'
DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist'  # of the package dataset-fashion-mnist
BYTES = {'train-images-idx3-ubyte.gz': 26421880, 'train-labels-idx1-ubyte.gz': 29515,
         't10k-images-idx3-ubyte.gz': 4422102, 't10k-labels-idx1-ubyte.gz': 5148}  # of the downloads
CLASS_NAMES = ('T-shirt/top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag',
               'ankle boot')
FULL_SIZE = 28


class FashionMNISTDataset(ImageDataset):
    """The 60,000 training or, with `test`, the 10,000 test images of Fashion-MNIST.

    They are grey in all of 3 or 1 `channels`. `size` is 28 or more: a black margin is added on all sides, two pixels
    for 32. `root` is a folder holding the idx files, as they are published or unpacked. Without it the Debian package's
    folder and Chainer's cache are looked at, and the cache filled by a download (31 MB) where there is nothing. Raises
    FileNotFoundError where there is no data, ValueError for other arguments or a file that is not Fashion-MNIST's.
    """

    def __init__(self, test: bool = False, size: int = 32, root=None, channels: int = 3):
        if size < FULL_SIZE or size % 2:
            raise ValueError(f'size: expected an even number from {FULL_SIZE} px, got {size!r}')
        check_channels(channels)
        ims, labels = _read(test, root)
        margin = (size - FULL_SIZE) // 2
        ims = np.pad(ims, ((0, 0), (margin, margin), (margin, margin)))
        super().__init__(in_channels(ims, channels), labels, n_classes=10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES


def _read(test, root):
    kind = 't10k' if test else 'train'
    names = [f'{kind}-images-idx3-ubyte', f'{kind}-labels-idx1-ubyte']
    gzipped = [f'{name}.gz' for name in names]
    if root is None:
        npz_path = os.path.join(chainer.dataset.get_dataset_root(), 'pfnet', 'chainer', 'fashion-mnist',
                                f'{"test" if test else "train"}.npz')
        if os.path.exists(npz_path):
            ims, labels = read_cached_npz(npz_path, ('x', 'y'))
            check_array(npz_path, 'images', ims, (_n(test), FULL_SIZE ** 2))
            return _checked(npz_path, npz_path, ims.reshape(-1, FULL_SIZE, FULL_SIZE), labels, test)
        paths = find_in_folders(DEBIAN_FOLDER, gzipped)
        if paths is None:
            paths = {name: download(URL + name, BYTES[name], name, 'Fashion-MNIST') for name in gzipped}
    else:
        folders = ('', 'fashion-mnist', os.path.join('FashionMNIST', 'raw'))
        paths = find_in_folders(root, gzipped, folders) or find_in_folders(root, names, folders)
        if paths is None:
            raise nothing_in(root, f'{gzipped[0]} and {gzipped[1]}')
    x_path, y_path = paths.values()
    return _checked(x_path, y_path, _read_idx(x_path, 3), _read_idx(y_path, 1), test)


def _n(test):
    return 10000 if test else 60000


def _checked(x_path, y_path, ims, labels, test):
    check_array(x_path, 'images', ims, (_n(test), FULL_SIZE, FULL_SIZE))
    check_array(y_path, 'labels', labels, (_n(test),))
    check_labels(y_path, labels, 0, 9)
    return ims, labels


def _read_idx(path, ndim):
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
