"""Square pieces of the photographs that scikit-learn and scikit-image bring along: small, real and in colour."""
import importlib.util
import os

from source.datasets.image_dataset import ImageDataset

import numpy as np
from PIL import Image

PHOTOS = {  # package: (folder of its photos, their names)
    'sklearn': (('datasets', 'images'), ('china.jpg', 'flower.jpg')),
    'skimage': (('data',), ('astronaut.png', 'chelsea.png', 'coffee.png', 'hubble_deep_field.jpg', 'ihc.png',
                            'motorcycle_left.png', 'retina.jpg', 'rocket.jpg')),
}
CHOICES = {'scikit-learn': ('sklearn',), 'all': ('sklearn', 'skimage')}
TRAIN_SHARE = .8  # of each photo's width, from its left


class PhotoTilesDataset(ImageDataset):
    """Tiles of `size` px, of the class that is their photo.

    Args:
        split: 'train', tiles within the left four fifths of each photo, or 'test', within the rest; no pixel is in
            both.
        size: height and width of a tile.
        stride: between tiles, in pixels; below `size` they overlap.
        photos: 'scikit-learn' (two classes) or 'all' (ten), which needs scikit-image to be installed.

    Raises ValueError for other arguments or a missing package.
    """

    def __init__(self, split: str = 'train', size: int = 32, stride: int = 16, photos: str = 'scikit-learn'):
        for name, value, known in (('split', split, ('train', 'test')), ('photos', photos, tuple(CHOICES))):
            if value not in known:
                raise ValueError(f'{name}: expected one of {", ".join(known)}, got {value!r}')
        if size < 1 or stride < 1:
            raise ValueError(f'size and stride: expected at least 1 px, got {size} and {stride}')
        paths = [path for package in CHOICES[photos] for path in _paths(package)]
        tiles = [_tiles(_region(path, split), size, stride) for path in paths]
        if min(map(len, tiles)) == 0:
            raise ValueError(f'size: expected a tile that fits into every photo, got {size} px')
        labels = np.repeat(np.arange(len(tiles)), [len(t) for t in tiles])
        super().__init__(np.concatenate(tiles), labels, n_classes=len(tiles))
        self.class_names = self.names_of({'photos': photos})

    @classmethod
    def names_of(cls, args):
        packages = CHOICES.get(args.get('photos', 'scikit-learn'), ())
        return [os.path.splitext(name)[0] for package in packages for name in PHOTOS[package][1]]


def _paths(package):
    folder, names = PHOTOS[package]
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ValueError("photos: 'all' needs scikit-image, which is not installed: pip install scikit-image")
    return [os.path.join(os.path.dirname(spec.origin), *folder, name) for name in names]


def _region(path, split):
    """The photo's part for this split, uint8 (H, W, 3)."""
    with Image.open(path) as image:
        im = np.asarray(image.convert('RGB'))
    border = int(im.shape[1] * TRAIN_SHARE)
    return im[:, :border] if split == 'train' else im[:, border:]


def _tiles(im, size, stride):
    if min(im.shape[:2]) < size:
        return np.empty((0, 3, size, size), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(im, (size, size), axis=(0, 1))[::stride, ::stride]
    return windows.reshape(-1, 3, size, size)
