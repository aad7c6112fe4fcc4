"""Images that a user brings: a folder of image files, or an `.npz` of uint8 images."""
from pathlib import Path

from source.datasets.image_dataset import ImageDataset
from source.datasets.open_image import open_rgb
from source.miscs.plain_npz import read_plain_npz

import numpy as np

IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.bmp', '.webp'}
IMAGE_KEYS, LABEL_KEYS = ('ims', 'images', 'x', 'arr_0'), ('labels', 'y', 'arr_1')


class ImageFolder(ImageDataset):
    """All images under a folder in order of their names, `size` px square, read as they are needed.

    Where all lie in subfolders of one level these are the classes (`labelled`), in order of their numbers if their
    names are numbers and of their names else. `size` None is that of the first image. Raises ValueError for a folder
    without images and, when it is read, for a file that is none or of another size; each names the file.
    """

    def __init__(self, folder, size=None):
        folder = Path(folder)
        if not folder.is_dir():
            raise ValueError(f'--images {folder}: no such folder or .npz file')
        self.paths = sorted(p for p in folder.rglob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
        if not self.paths:
            raise ValueError(f'--images {folder}: no images ({", ".join(sorted(IMAGE_SUFFIXES))}) in it')
        parts = [path.relative_to(folder).parts for path in self.paths]
        self.labelled = all(len(p) == 2 for p in parts)
        names = {p[0] for p in parts} if self.labelled else {''}
        classes = sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)
        number = {name: c for c, name in enumerate(classes)}
        labels = [number[p[0]] if self.labelled else 0 for p in parts]
        self.names = ['/'.join(p) for p in parts]
        super().__init__(None, labels, len(classes), size or _read(self.paths[0], None).shape[-1])

    def files(self):
        return list(zip(self.names, self.paths, strict=True))

    def load_ims(self, indices, rng=None):
        return np.stack([_read(self.paths[i], self.size) for i in indices])


class ImageArray(ImageDataset):
    """The images of an `.npz`: uint8 (N, 3, H, W) or (N, H, W, 3), under `key`, and labels (N,) where it has them.

    Without `key`: under the first of IMAGE_KEYS, or the only array there is; labels under the first of LABEL_KEYS.
    Raises ValueError, naming file and key, for anything else and for another size than `size` px.
    """

    def __init__(self, path, key=None, size=None):
        arrays = read_plain_npz(path, 'file of images')
        key = key or next((k for k in (*IMAGE_KEYS, *list(arrays)[:len(arrays) == 1]) if k in arrays), None)
        if key not in arrays:
            raise ValueError(f'{path}: expected images under {key or " or ".join(IMAGE_KEYS)}, '
                             f'found {", ".join(arrays) or "nothing"}')
        ims = arrays.pop(key)
        if ims.ndim == 4 and ims.shape[1] != 3 and ims.shape[3] == 3:
            ims = ims.transpose(0, 3, 1, 2)
        if ims.dtype != np.uint8 or ims.ndim != 4 or ims.shape[1] != 3 or not ims.size:
            raise ValueError(f'{path}: {key}: expected uint8 (N, 3, H, W) or (N, H, W, 3), '
                             f'found {ims.dtype} {ims.shape}')
        expected = size or ims.shape[-1]
        if ims.shape[2:] != (expected, expected):
            raise ValueError(f'{path}: {key}: expected {expected}×{expected} pixels, '
                             f'found {ims.shape[3]}×{ims.shape[2]}')
        found = next((k for k in LABEL_KEYS if k in arrays), None)
        self.labelled = found is not None
        labels = arrays[found] if self.labelled else np.zeros(len(ims), int)
        if labels.shape != (len(ims),) or labels.dtype.kind not in 'iu' or labels.min() < 0:
            raise ValueError(f'{path}: {found}: expected ({len(ims)},) integers from 0, '
                             f'found {labels.dtype} {labels.shape}')
        super().__init__(ims, labels, int(labels.max()) + 1)


def open_images(path, size=None, key=None):
    """Return the ImageArray of an .npz file or the ImageFolder of a folder."""
    return ImageArray(path, key, size) if Path(path).suffix == '.npz' else ImageFolder(path, size)


def _read(path, size):
    im = np.asarray(open_rgb(path))
    expected = size or im.shape[1]
    if im.shape[:2] != (expected, expected):
        raise ValueError(f'{path}: expected {expected}×{expected} pixels, found {im.shape[1]}×{im.shape[0]}')
    return im.transpose(2, 0, 1)
