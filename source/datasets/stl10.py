"""STL-10 from its binary files, unpacked or still in their archive."""
import os
import tarfile
import zlib
from contextlib import contextmanager

from source.datasets.files import check_labels, download, nothing_in, reason
from source.datasets.image_dataset import ImageDataset

import numpy as np
from PIL import Image

ARCHIVE_URL = 'http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz'
ARCHIVE_NAME = 'stl10_binary.tar.gz'
ARCHIVE_BYTES = 2640397119
FOLDER = 'stl10_binary'
SPLITS = {'unlabeled': 100000, 'train': 5000, 'test': 8000}
CLASS_NAMES = 'airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse', 'monkey', 'ship', 'truck'
FULL_SIZE = 96
IMAGE_BYTES = 3 * FULL_SIZE ** 2
CHUNK = 500  # images read at once


class STL10Dataset(ImageDataset):
    """STL-10, reduced from 96×96 to `size` px by Pillow's bilinear filter: 48 in the paper.

    `split` is 'unlabeled' (100,000 images, what the authors train on; all have label 0 of one class), 'train' (5,000)
    or 'test' (8,000), these two with ten classes. `root` is a folder holding stl10_binary.tar.gz, its unpacked
    stl10_binary/ or that folder's files; without it Chainer's download cache is read, and filled (2.6 GB) if empty.

    Raises ValueError for another argument or a damaged file, FileNotFoundError where there is no data.
    """

    def __init__(self, split: str = 'unlabeled', size: int = 48, root=None):
        if split not in SPLITS:
            raise ValueError(f'split: expected one of {", ".join(SPLITS)}, got {split!r}')
        if not 1 <= size <= FULL_SIZE:
            raise ValueError(f'size: expected 1 to {FULL_SIZE} px, got {size!r}')
        files = _in_folder(root) if root is not None else _Archive(
            download(ARCHIVE_URL, ARCHIVE_BYTES, ARCHIVE_NAME, 'STL-10'))
        ims = _read_images(files, f'{split}_X.bin', SPLITS[split], size)
        if split == 'unlabeled':
            labels = np.zeros(len(ims), np.int32)
        else:
            labels = _read_labels(files, f'{split}_y.bin', SPLITS[split])
        super().__init__(ims, labels, n_classes=1 if split == 'unlabeled' else 10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES if args.get('split', 'unlabeled') != 'unlabeled' else None


def _in_folder(root):
    for folder in (os.path.join(root, FOLDER), root):
        if any(os.path.exists(os.path.join(folder, f'{split}_X.bin')) for split in SPLITS):
            return _Folder(folder)
    archive_path = os.path.join(root, ARCHIVE_NAME)
    if os.path.exists(archive_path):
        return _Archive(archive_path)
    raise nothing_in(root, f'{ARCHIVE_NAME} or {FOLDER}/')


class _Folder:
    def __init__(self, path):
        self.path = path

    @contextmanager
    def open(self, name, n_bytes):
        path = os.path.join(self.path, name)
        if not os.path.exists(path):
            raise FileNotFoundError(f'{path}: expected a file of {n_bytes} bytes, found none')
        if os.path.getsize(path) != n_bytes:
            raise ValueError(f'{path}: expected {n_bytes} bytes, found {os.path.getsize(path)}')
        with open(path, 'rb') as file:
            yield path, file


class _Archive:
    def __init__(self, path):
        self.path = path

    @contextmanager
    def open(self, name, n_bytes):
        try:
            with tarfile.open(self.path, 'r:gz') as archive:
                member = next((m for m in archive if os.path.basename(m.name) == name and m.isfile()), None)
                if member is None or member.size != n_bytes:
                    found = 'none' if member is None else f'one of {member.size}'
                    raise ValueError(f'{self.path}: expected {FOLDER}/{name} of {n_bytes} bytes, found {found}')
                yield f'{self.path}:{member.name}', archive.extractfile(member)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise ValueError(f'{self.path}: expected the {ARCHIVE_BYTES} bytes of {ARCHIVE_NAME}, found '
                             f'{os.path.getsize(self.path)} that cannot be read ({reason(error)})') from error


def _read_images(files, name, n, size):
    ims = np.empty((n, 3, size, size), np.uint8)
    with files.open(name, n * IMAGE_BYTES) as (_, file):
        for start in range(0, n, CHUNK):
            count = min(CHUNK, n - start)
            chunk = np.frombuffer(file.read(count * IMAGE_BYTES), np.uint8)
            # Columns come first in the file: each channel is stored transposed.
            for i, im in enumerate(chunk.reshape(count, 3, FULL_SIZE, FULL_SIZE).transpose(0, 3, 2, 1), start):
                reduced = Image.fromarray(np.ascontiguousarray(im)).resize((size, size), Image.Resampling.BILINEAR)
                ims[i] = np.asarray(reduced).transpose(2, 0, 1)
    return ims


def _read_labels(files, name, n):
    with files.open(name, n) as (path, file):
        labels = np.frombuffer(file.read(n), np.uint8)
    check_labels(path, labels, 1, 10)
    return labels.astype(np.int32) - 1
