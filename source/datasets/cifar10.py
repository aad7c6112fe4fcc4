"""CIFAR-10 from any form a user may have: Chainer's cache, the python archive, or its unpacked batches."""
import os
import tarfile
import zlib

from source.datasets.cached_download import cached_download
from source.datasets.files import read_cached_npz, reason
from source.datasets.image_dataset import ImageDataset
from source.datasets.plain_pickle import load_plain_pickle

import chainer
import numpy as np

ARCHIVE_URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'
ARCHIVE_NAME = 'cifar-10-python.tar.gz'
ARCHIVE_BYTES = 170498071
CLASS_NAMES = 'airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'
BATCH_FOLDER = 'cifar-10-batches-py'
BATCH_SIZE = 10000
TRAIN_BATCHES = [f'data_batch_{k}' for k in range(1, 6)]
TEST_BATCHES = ['test_batch']


class CIFAR10Dataset(ImageDataset):
    """The 50,000 training or, with `test`, the 10,000 test images of CIFAR-10, 32x32, ten classes.

    `root` is a folder holding cifar-10-python.tar.gz or its unpacked batches. Without it Chainer's cache is read
    (`$CHAINER_DATASET_ROOT`, else ~/.chainer/dataset; its converted .npz wins over the archive), and filled by a
    download of 170 MB where it is empty. Raises FileNotFoundError where there is no data, ValueError where a file
    is not what CIFAR-10 is: both name the path, what was expected and what was found.
    """

    def __init__(self, test=False, root=None):
        ims, labels = _read_cache(test) if root is None else _read_folder(root, test)
        super().__init__(ims.reshape(-1, 3, 32, 32), labels, n_classes=10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES


def _read_cache(test):
    npz_path = os.path.join(chainer.dataset.get_dataset_root(), 'pfnet', 'chainer', 'cifar', 'cifar-10.npz')
    if os.path.exists(npz_path):
        return _read_npz(npz_path, test)
    try:
        archive_path = cached_download(ARCHIVE_URL, ARCHIVE_BYTES)
    except OSError as error:
        raise FileNotFoundError(f'CIFAR-10 is neither at {npz_path} nor in the download cache beside it, and '
                                f'{ARCHIVE_URL} could not be fetched ({error}); expected {ARCHIVE_NAME} in a folder '
                                'given as root (--data_dir)') from error
    return _read_archive(archive_path, test)


def _read_folder(root, test):
    archive_path = os.path.join(root, ARCHIVE_NAME)
    for folder in (os.path.join(root, BATCH_FOLDER), root):
        if os.path.exists(os.path.join(folder, TEST_BATCHES[0])):
            return _read_unpacked(folder, test)
    if os.path.exists(archive_path):
        return _read_archive(archive_path, test)
    found = ', '.join(sorted(os.listdir(root))[:5]) or 'nothing' if os.path.isdir(root) else 'no such folder'
    raise FileNotFoundError(f'{root}: expected a folder with {ARCHIVE_NAME} or {BATCH_FOLDER}/, found {found}')


def _read_npz(path, test):
    prefix = 'test' if test else 'train'
    n = BATCH_SIZE * len(_batch_names(test))
    ims, labels = read_cached_npz(path, (f'{prefix}_x', f'{prefix}_y'))
    return _checked(path, ims, labels, n)


def _read_unpacked(folder, test):
    batches = []
    for name in _batch_names(test):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise FileNotFoundError(f'{path}: expected a batch of {BATCH_SIZE} CIFAR-10 images, found no file')
        with open(path, 'rb') as file:
            batches.append(_read_batch(path, file))
    return _joined(batches)


def _read_archive(path, test):
    names = _batch_names(test)
    batches = {}
    try:
        with tarfile.open(path, 'r:gz') as archive:
            for member in archive:  # in the file's own order: going back would inflate it anew
                name = os.path.basename(member.name)
                if name in names and member.isfile():
                    batches[name] = _read_batch(f'{path}:{member.name}', archive.extractfile(member))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f'{path}: expected the {ARCHIVE_BYTES} bytes of {ARCHIVE_NAME}, found '
                         f'{os.path.getsize(path)} that cannot be read ({reason(error)})') from error
    if len(batches) < len(names):
        raise ValueError(f'{path}: expected {BATCH_FOLDER}/ with {", ".join(names)}, '
                         f'found {", ".join(sorted(batches)) or "none of them"}')
    return _joined([batches[name] for name in names])


def _read_batch(path, file):
    try:
        batch = load_plain_pickle(file)
        ims, labels = batch['data'], batch['labels']
    except Exception as error:  # a damaged pickle raises whatever its bytes suggest
        raise ValueError(f"{path}: expected a pickle with 'data' and 'labels', found {reason(error)}") from error
    return _checked(path, ims, np.asarray(labels), BATCH_SIZE)


def _checked(path, ims, labels, n):
    for name, array, shape in (('images', ims, (n, 3072)), ('labels', labels, (n,))):
        if getattr(array, 'shape', None) != shape or array.dtype.kind not in 'iu':
            raise ValueError(f'{path}: expected {name} of shape {shape}, integers; found '
                             f'{getattr(array, "dtype", type(array).__name__)} {getattr(array, "shape", "")}')
    if ims.dtype != np.uint8 or not 0 <= labels.min() <= labels.max() <= 9:
        raise ValueError(f'{path}: expected uint8 images and labels 0 to 9, '
                         f'found {ims.dtype} and labels {labels.min()} to {labels.max()}')
    return ims, labels


def _batch_names(test):
    return TEST_BATCHES if test else TRAIN_BATCHES


def _joined(batches):
    return tuple(np.concatenate(arrays) for arrays in zip(*batches, strict=True))

