"""ImageNet from its JPEG folders and a list file, cropped to squares and resized as they are read."""
import os

from source.datasets.image_dataset import ImageDataset

import numpy as np
from PIL import Image

RESIZE_METHODS = {
    'nearest': Image.Resampling.NEAREST, 'bilinear': Image.Resampling.BILINEAR, 'bicubic': Image.Resampling.BICUBIC,
    'cubic': Image.Resampling.BICUBIC, 'lanczos': Image.Resampling.LANCZOS,
}


class ImageNetDataset(ImageDataset):
    """Images named by the list file `path`, one `n01440764/n01440764_10026.JPEG 0` a line, under the folder `root`.

    Without `augmentation`, and wherever no rng is given: the central square of the short side. With it: a square of
    `crop_ratio` (in (0, 1]) times the short side at a random place, mirrored half the time. Either is resized to
    `size` px on uint8 by `resize_method`. Raises FileNotFoundError for a missing list, folder or image, ValueError
    for a bad list line, argument or image; each names the file.
    """

    first_label = 0  # the listed label that becomes class 0
    n_listed = 1000  # classes of a list, if not said

    def __init__(self, path, root, size=128, resize_method='bilinear', augmentation=False, crop_ratio=1.0,
                 n_classes=1000):
        if resize_method not in RESIZE_METHODS:
            raise ValueError(f'resize_method: expected one of {", ".join(RESIZE_METHODS)}, got {resize_method!r}')
        if not 0. < crop_ratio <= 1.:
            raise ValueError(f'crop_ratio: expected a number in (0, 1], got {crop_ratio!r}')
        if not os.path.isdir(root or ''):
            raise FileNotFoundError(f'{root}: expected as root (--data_dir) the folder of the images listed in {path}, '
                                    'found no folder')
        self.names, classes = _read_list(path, self.first_label, self.first_label + n_classes - 1)
        if not os.path.isfile(os.path.join(root, self.names[0])):
            raise FileNotFoundError(f'{root}: expected {self.names[0]}, the first image of {path}, found no file')
        self.root = root
        self.resample = RESIZE_METHODS[resize_method]
        self.augmentation, self.crop_ratio = augmentation, crop_ratio
        super().__init__(None, classes, n_classes, size)

    @classmethod
    def names_of(cls, args):
        """The folders of the list at `path`, n01440764 and so on, where it is there and each class has one."""
        n_classes = args.get('n_classes', cls.n_listed)
        if not os.path.isfile(args.get('path') or ''):
            return None
        names, classes = _read_list(args['path'], cls.first_label, cls.first_label + n_classes - 1)
        folders = {}
        for name, c in zip(names, classes, strict=True):
            folders.setdefault(c, os.path.dirname(name))
        return [folders[c] for c in range(n_classes)] if len(folders) == n_classes else None

    def files(self):
        return [(name, os.path.join(self.root, name)) for name in self.names]

    def load_ims(self, indices, rng=None):
        return np.stack([self._load_im(os.path.join(self.root, self.names[i]), rng) for i in indices])

    def _load_im(self, path, rng):
        image = _open_rgb(path)
        if self.augmentation and rng is not None:
            image = _random_crop(image, self.crop_ratio, rng)
        else:
            image = _central_crop(image)
        return np.asarray(image.resize((self.size, self.size), self.resample)).transpose(2, 0, 1)


def _read_list(path, lowest, highest):
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: expected a list, one 'folder/name.JPEG label' a line, found no file")
    names, classes = [], []
    with open(path, encoding='utf-8', errors='surrogateescape') as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            *name, label = line.rsplit(maxsplit=1)
            if not name or not label.isdecimal() or not lowest <= int(label) <= highest:
                raise ValueError(f"{path}:{number}: expected 'folder/name.JPEG label' with a label from {lowest} to "
                                 f'{highest}, found {line.strip()!r}')
            names.append(name[0].strip())
            classes.append(int(label) - lowest)
    if not names:
        raise ValueError(f"{path}: expected 'folder/name.JPEG label' lines, found none")
    return names, classes


def _open_rgb(path):
    try:
        with Image.open(path) as image:
            return image.convert('RGB')
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{path}: expected an image, found no file') from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, …
        raise ValueError(f'{path}: expected an image, found a file Pillow cannot read ({error})') from error


def _central_crop(image):
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _random_crop(image, ratio, rng):
    side = max(1, int(min(image.size) * ratio))
    # Differs from sngan_projection: the last place counts too, so a ratio of 1 works on a square image.
    left, top = (int(rng.uniform() * (extent - side + 1)) for extent in image.size)
    image = image.crop((left, top, left + side, top + side))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.uniform() < .5 else image
