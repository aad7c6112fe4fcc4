"""Images that a user brings: a folder of image files, or an `.npz` of uint8 images."""
import os
from pathlib import Path

from source.datasets.find_images import describe_passed_over, find_images
from source.datasets.image_dataset import ImageDataset
from source.datasets.open_image import SUFFIXES, TRANSPARENCY, decode
from source.miscs import draw_order
from source.miscs.plain_npz import read_plain_npz
from source.miscs.standard_streams import tell

import numpy as np

IMAGE_KEYS, LABEL_KEYS = ('ims', 'images', 'x', 'arr_0'), ('labels', 'y', 'arr_1')


class ImageFolder(ImageDataset):
    """All images under a folder (see find_images.py), `size` px square, read as they are needed.

    Where all lie in subfolders of one level these are the classes (`labelled`), called `folders`, in order of their
    numbers if their names are numbers and of their names else. `draw_order` is what draw_order.py reads, or None.
    `size` None is that of the first image. Other entries are counted in a line on standard error. Raises ValueError
    for a folder without images and, when it is read, for a file that is none or of another size; each names the file.
    """

    def __init__(self, folder, size=None):
        folder = Path(folder)
        if not folder.is_dir():
            raise ValueError(f'--images {folder}: no such folder or .npz file')
        self.names, passed_over = find_images(folder)
        if not self.names:
            raise ValueError(f'--images {folder}: no images ({", ".join(SUFFIXES)}) in it')
        note = describe_passed_over([entry for entry in passed_over if entry[0] != draw_order.FILE])
        if note:
            tell(f'{folder}: {note}')
        self.paths = [folder / name for name in self.names]
        parts = [name.split('/') for name in self.names]
        self.labelled = all(len(p) == 2 for p in parts)
        self._tell_the_unexpected(folder, parts, passed_over)
        found = {p[0] for p in parts} if self.labelled else {''}
        self.folders = sorted(found, key=int) if all(name.isdecimal() for name in found) else sorted(found)
        number = {name: c for c, name in enumerate(self.folders)}
        labels = [number[p[0]] if self.labelled else 0 for p in parts]
        self.draw_order = draw_order.read_draw_order(folder, self.names)
        super().__init__(None, labels, len(self.folders), size or _read(self.paths[0], None)[0].shape[-1])
        self._told = False

    def _tell_the_unexpected(self, folder, parts, passed_over):
        """Say what a user may not expect: images without classes, records that are not followed, images met twice."""
        if not self.labelled and any(len(p) > 1 for p in parts):
            odd = next(name for name, p in zip(self.names, parts, strict=True) if len(p) != 2)
            tell(f'{folder}: the images have no classes, as {odd} is not in a folder of the first level')
        for name, _ in passed_over:
            if name.endswith(f'/{draw_order.FILE}'):
                tell(f'{folder}: {name} is not followed; --images {(folder / name).parent} would follow it')
        n_files = len({(status.st_dev, status.st_ino) for status in map(os.stat, self.paths)})
        if n_files < len(self.paths):
            tell(f'{folder}: {len(self.paths)} images, but only {n_files} files: links count some more than once')

    def files(self):
        return list(zip(self.names, self.paths, strict=True))

    def load_ims(self, indices, rng=None):
        ims, transparent = zip(*(_read(self.paths[i], self.size) for i in indices), strict=True)
        if any(transparent) and not self._told:
            self._told = True
            name = self.names[indices[transparent.index(True)]]
            tell(f'{name} is partly transparent: of it, and of others like it, the colours alone are taken')
        return np.stack(ims)


class ImageArray(ImageDataset):
    """The images of an `.npz`: uint8 (N, 3, H, W) or (N, H, W, 3), under `key`, and labels (N,) where it has them.

    Without `key`: under the first of IMAGE_KEYS, or the only array there is; labels under the first of LABEL_KEYS.
    `draw_order` is int (N,) under that name, or None. Raises ValueError, naming file and key, for anything else and
    for another size than `size` px.
    """

    folders = None

    def __init__(self, path, key=None, size=None):
        arrays = read_plain_npz(path, 'file of images')
        self.draw_order = arrays.pop(draw_order.KEY, None) if key != draw_order.KEY else None
        known = list(arrays) if len(arrays) == 1 else IMAGE_KEYS
        key = key or _first_of(known, arrays, path, 'images', '; --key names one')
        if key not in arrays:
            raise ValueError(f'{path}: expected images under {key or " or ".join(IMAGE_KEYS)}, '
                             f'found {", ".join(arrays) or "nothing"}')
        ims = arrays.pop(key)
        if ims.ndim == 4 and ims.shape[1] != 3 and ims.shape[3] == 3:
            ims = ims.transpose(0, 3, 1, 2)
        if ims.dtype != np.uint8 or ims.ndim != 4 or ims.shape[1] != 3 or not ims.size:
            raise ValueError(f'{path}: {key}: expected uint8 (N, 3, H, W) or (N, H, W, 3), '
                             f'found {ims.dtype} {ims.shape}')
        if ims.max() == 1:
            raise ValueError(f'{path}: {key}: expected values from 0 to 255, found none above 1')
        expected = size or ims.shape[-1]
        if ims.shape[2:] != (expected, expected):
            raise ValueError(f'{path}: {key}: expected {expected}x{expected} pixels, '
                             f'found {ims.shape[3]}x{ims.shape[2]}')
        found = _first_of(LABEL_KEYS, arrays, path, 'labels')
        self.labelled = found is not None
        labels = arrays[found] if self.labelled else np.zeros(len(ims), int)
        if labels.shape != (len(ims),) or labels.dtype.kind not in 'iu' or labels.min() < 0:
            raise ValueError(f'{path}: {found}: expected ({len(ims)},) integers from 0, '
                             f'found {labels.dtype} {labels.shape}')
        if self.draw_order is not None:
            draw_order.check_draw_order(path, self.draw_order, len(ims))
        super().__init__(ims, labels, int(labels.max()) + 1)


def _first_of(keys, arrays, path, what, hint=''):
    """The first of `keys` that an .npz has, or None; that there are others is said."""
    there = [key for key in keys if key in arrays]
    if len(there) > 1:
        tell(f'{path}: {what} are taken from {there[0]}, not from {" or ".join(there[1:])}{hint}')
    return there[0] if there else None


def open_images(path, size=None, key=None):
    """Return the ImageArray of an .npz file or the ImageFolder of a folder; ValueError for a folder with a key."""
    if Path(path).suffix == '.npz':
        return ImageArray(path, key, size)
    if key is not None:
        raise ValueError(f'--key {key}: goes with an .npz, not with {path}')
    return ImageFolder(path, size)


def _read(path, size):
    """The image of a file, uint8 (3, size, size), and whether it had transparency."""
    rgb, changes = decode(path)
    im = np.asarray(rgb)
    expected = size or im.shape[1]
    if im.shape[:2] != (expected, expected):
        raise ValueError(f'{path}: expected {expected}x{expected} pixels, found {im.shape[1]}x{im.shape[0]}')
    return im.transpose(2, 0, 1), TRANSPARENCY in changes
