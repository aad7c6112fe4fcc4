"""Images that a user brings: a folder of image files, an `.npz` or `.npy` of uint8 images, or such an array itself."""
import os
from pathlib import Path

from source.command_line.standard_streams import tell
from source.datasets import draw_order
from source.datasets.class_folders import class_folders, without_class
from source.datasets.find_images import describe_passed_over, find_images
from source.datasets.image_dataset import ImageDataset
from source.datasets.image_sizes import size_of_file
from source.datasets.open_image import SUFFIXES, TRANSPARENCY, decode
from source.files.plain_npz import read_plain_npy, read_plain_npz

import numpy as np

IMAGE_KEYS, LABEL_KEYS = ('ims', 'images', 'x', 'arr_0'), ('labels', 'y', 'arr_1')
EXPECTED = 'uint8 (N, 3, H, W), (N, H, W, 3) or, of grey images, (N, H, W)'
# {shape, by its name: (whether it can be this one, its axes as (N, C, H, W))}, that which is taken first.
SHAPES = {
    '(N, 3, H, W)': (lambda shape: len(shape) == 4 and shape[1] == 3, (0, 1, 2, 3)),
    '(N, H, W, 3)': (lambda shape: len(shape) == 4 and shape[3] == 3, (0, 3, 1, 2)),
    '(N, 1, H, W)': (lambda shape: len(shape) == 4 and shape[1] == 1, (0, 1, 2, 3)),
    '(N, H, W, 1)': (lambda shape: len(shape) == 4 and shape[3] == 1, (0, 3, 1, 2)),
    'grey (N, H, W)': (lambda shape: len(shape) == 3 and shape[2] not in (1, 3), None),
    'one RGB image (3, H, W)': (lambda shape: len(shape) == 3 and shape[0] == 3 and shape[2] not in (1, 3), None)}


class ImageFolder(ImageDataset):
    """All images under a folder (see find_images.py), of any sizes, read as they are needed.

    Where all lie in subfolders of one level these are the classes (`labelled`), called `folders`, in the order that
    class_folders.py gives them. `draw_order` is what draw_order.py reads, or None. Other entries are counted in a
    line on standard error. Raises ValueError for a folder without images and, when it is read, for a file that is none;
    each names the file. `said` is the argument that named the folder, for messages.
    """

    def __init__(self, folder, said='--images'):
        folder = Path(folder)
        if not folder.is_dir():
            raise ValueError(f'{said} {folder}: no such folder or .npz or .npy file')
        self.names, passed_over = find_images(folder)
        if not self.names:
            raise ValueError(f'{said} {folder}: no images ({", ".join(SUFFIXES)}) in it')
        note = describe_passed_over([entry for entry in passed_over if entry[0] != draw_order.FILE])
        if note:
            tell(f'{folder}: {note}')
        self.paths = [folder / name for name in self.names]
        try:
            self.folders, labels = class_folders(self.names)
        except ValueError as error:
            raise ValueError(f'{said} {folder}: {error}') from None
        self.labelled = bool(self.folders)
        self._tell_the_unexpected(folder, passed_over, said)
        self.draw_order = draw_order.read_draw_order(folder, self.names)
        super().__init__(None, labels, max(len(self.folders), 1), None)
        self._told = False
        self._read(0)  # the first is damaged where none is an image

    def _tell_the_unexpected(self, folder, passed_over, said):
        """Say what a user may not expect: images without classes, records that are not followed, images met twice."""
        if not self.labelled and any('/' in name for name in self.names):
            odd = without_class(self.names)
            tell(f'{folder}: the images have no classes, as {odd} is not in a folder of the first level')
        for name, _ in passed_over:
            if name.endswith(f'/{draw_order.FILE}'):
                tell(f'{folder}: {name} is not followed; {said} {(folder / name).parent} would follow it')
        n_files = len({(status.st_dev, status.st_ino) for status in map(os.stat, self.paths)})
        if n_files < len(self.paths):
            tell(f'{folder}: {len(self.paths)} images, but only {n_files} files: links count some more than once')

    def files(self):
        return list(zip(self.names, self.paths, strict=True))

    def name_and_size(self, i):
        """Return the path of an image and its (width, height), from the header alone."""
        return self.paths[i], size_of_file(self.paths[i])

    def load_ims(self, indices, rng=None):
        """Return uint8 (B, 3, H, W) or, where these images have different sizes, a list of (3, H, W)."""
        return stacked([self._read(i) for i in indices])

    def load_some(self, indices, n_bytes):
        """Return what `load_ims` does of the first of these images: one, and as many more as fit into n_bytes."""
        ims = []
        for i in indices:
            ims.append(self._read(i))
            n_bytes -= ims[-1].size
            if n_bytes <= 0:
                break
        return stacked(ims)

    def _read(self, i):
        """An image, uint8 (3, H, W)."""
        rgb, changes = decode(self.paths[i])
        im = np.asarray(rgb)
        if TRANSPARENCY in changes and not self._told:
            self._told = True
            tell(f'{self.names[i]} is partly transparent: of it, and of others like it, the colours alone are taken')
        return im.transpose(2, 0, 1)


def stacked(ims):
    """Images (C, H, W) as one array where all have one shape, else the list of them."""
    return np.stack(ims) if len({im.shape for im in ims}) == 1 else ims


class ImageArray(ImageDataset):
    """The images of an `.npz`: uint8 as SHAPES has it, under `key`, and labels (N,) where it has them; of an `.npy`; or
    an array in memory.

    Without `key`: under the first of IMAGE_KEYS, or the only array there is; labels under the first of LABEL_KEYS.
    `draw_order` is int (N,) under that name, or None. The others have neither. What can be meant in two ways is told on
    standard error. Raises ValueError, naming file and key, for anything else. `said` is the argument that named the key
    or gave the array, for messages.
    """

    folders = None

    def __init__(self, path, key=None, said='--key'):
        arrays = {}
        self.draw_order = None
        if isinstance(path, np.ndarray):
            where, ims = said, path
        elif Path(path).suffix == '.npy':
            where, ims = path, read_plain_npy(path, 'file of images')
        else:
            arrays = read_plain_npz(path, 'file of images')
            self.draw_order = arrays.pop(draw_order.KEY, None) if key != draw_order.KEY else None
            known = list(arrays) if len(arrays) == 1 else IMAGE_KEYS
            key = key or _first_of(known, arrays, path, 'images', f'; {said} names one')
            if key not in arrays:
                raise ValueError(f'{path}: expected images under {key or " or ".join(IMAGE_KEYS)}, '
                                 f'found {", ".join(arrays) or "nothing"}')
            where, ims = f'{path}: {key}', arrays.pop(key)
        ims = _channels_first(where, ims)
        if ims.max() == 1:
            raise ValueError(f'{where}: expected values from 0 to 255, found none above 1')
        found = _first_of(LABEL_KEYS, arrays, path, 'labels')
        self.labelled = found is not None
        labels = arrays[found] if self.labelled else np.zeros(len(ims), int)
        if labels.shape != (len(ims),) or labels.dtype.kind not in 'iu' or labels.min() < 0 or labels.max() >= 2 ** 31:
            values = f' of {labels.min()} to {labels.max()}' if labels.dtype.kind in 'iu' and labels.size else ''
            raise ValueError(f'{path}: {found}: expected ({len(ims)},) integers from 0, below 2**31, '
                             f'found {labels.dtype} {labels.shape}{values}')
        if self.draw_order is not None:
            draw_order.check_draw_order(path, self.draw_order, len(ims))
        super().__init__(None, labels, int(labels.max()) + 1, ims.shape[3], ims.shape[1])
        self.ims = ims  # not square, perhaps, as what is trained on has to be


def _channels_first(where, ims):
    """Images as (N, C, H, W), C = 3 or 1; raises ValueError for another array."""
    fitting = [name for name, (fits, _) in SHAPES.items() if fits(ims.shape)]
    if not fitting or ims.dtype != np.uint8 or not ims.size:
        raise ValueError(f'{where}: expected {EXPECTED}, found {ims.dtype} {ims.shape}{_hint(ims)}')
    if len(fitting) > 1:
        tell(f'{where}: {ims.shape} is taken as {fitting[0]}, not as {fitting[1]}')
    axes = SHAPES[fitting[0]][1]
    return ims[:, None] if axes is None else ims.transpose(axes)


def _hint(ims):
    """What to do with an array that is refused, where that can be told."""
    if ims.dtype.kind == 'f' and ims.size and np.isfinite(ims).all():
        low, high = ims.min(), ims.max()
        if -1 <= low and high <= 1:
            scaled = '(x * 255)' if low >= 0 else '((x + 1) * 127.5)'
            return f"; {scaled}.round().astype('uint8') makes it that, of values from {0 if low >= 0 else -1} to 1"
    if ims.ndim == 3 and ims.shape[2] in (1, 3):
        return ', which looks like one image; x[None] makes it an array of one'
    return ''


def _first_of(keys, arrays, path, what, hint=''):
    """The first of `keys` that an .npz has, or None; that there are others is said."""
    there = [key for key in keys if key in arrays]
    if len(there) > 1:
        tell(f'{path}: {what} are taken from {there[0]}, not from {" or ".join(there[1:])}{hint}')
    return there[0] if there else None


def open_images(path, key=None, said='--images', said_key='--key'):
    """Return the ImageArray of an .npz or .npy file, or of an array, or the ImageFolder of a folder.

    Raises ValueError for a key with anything but an .npz. `said` and `said_key` are the arguments that named both.
    """
    if isinstance(path, np.ndarray):
        return ImageArray(path, said=said)
    suffix = None if Path(path).is_dir() else Path(path).suffix
    if key is not None and suffix != '.npz':
        raise ValueError(f'{said_key} {key}: goes with an .npz, not with {path}')
    if suffix in ('.npz', '.npy'):
        return ImageArray(path, key, said_key)
    return ImageFolder(path, said)
