"""A folder of one's own images, its subfolders the classes."""
import hashlib
import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from source.command_line.commands_to_copy import called
from source.command_line.progress_bar import progress_bar
from source.command_line.short_texts import difference, printable, some_of
from source.command_line.standard_streams import tell
from source.datasets.class_folders import class_folders, n_of, without_class
from source.datasets.find_images import describe_passed_over, find_images
from source.datasets.open_image import SUFFIXES, DamagedImage, decode, open_rgb
from source.datasets.packed import PackedDataset
from source.datasets.preparation_report import classes_in_report
from source.datasets.square_crops import ENLARGED, SquareCrops, channels_of

import numpy as np
from PIL import Image

PACKED = re.compile(r'images_(\d+)\.npy')  # what prepare_images.py writes
MOST_BYTES = 2 ** 30  # of squares kept in memory
READ_AHEAD = 512  # images between two steps of the progress bar


class FolderDataset(SquareCrops):
    """The images under the folder `root`, each the central square of its short side, resized to `size` px.

    Which files are images says find_images.py, how they are read open_image.py, what their classes are
    class_folders.py. `root` may also be the folder that prepare_images.py has written. What was found is said in a
    line. Squares of up to MOST_BYTES together are read at once and kept in memory, others when they are asked for.

    Args:
        root: the folder.
        size: height and width of what is returned.
        resize_method: one of square_crops.RESIZE_METHODS, all Pillow's.
        mirror: whether training sees each image mirrored half the time.
        channels: 3, or 1 for grey.
        classes: names of the subfolders in the order of their labels; default: as class_folders.py orders them.
        images: what `found` has to be; where it is something else, that is said. A run's resolved config has both, so
            that a folder of other classes or images is noticed.

    Attributes:
        class_names: list of str, empty where there are no classes; `n_classes` is its length.
        found: number and digest of the images, as '360 images, 1a2b3c4d5e6f'.

    Raises ValueError, in one line, for a folder without images or with other classes, for images that cannot be read,
    and for another argument.
    """

    def __init__(self, root, size: int = 64, resize_method: str = 'bilinear', mirror: bool = False, channels: int = 3,
                 classes=None, images=None):
        self.root, self.mirror, self._packed = root, mirror, None
        if any(map(PACKED.fullmatch, os.listdir(root))):
            self._packed, self.class_names = _open_packed(root, size, resize_method)
            self.names, labels = [], self._packed.labels
        else:
            self.names = _find(root)
            self.class_names, labels = _classes(root, self.names)
        if classes is not None:
            self.class_names, labels = _reordered(root, self.class_names, labels, classes)
        super().__init__(labels, len(self.class_names), size, resize_method, channels=channels)
        changes = Counter()
        if self._packed is None and len(self.names) * channels * size ** 2 <= MOST_BYTES:
            self.ims, changes = self._read_all()
        self.found = f'{len(self)} images, {self._digest()}'
        self._tell(changes)
        if images not in (None, self.found):
            tell(f'{root}: {self.found}, are not those of the run: {images}')

    @classmethod
    def names_of(cls, args):
        """The classes, where the config names them: a folder that is not is not looked into."""
        return args.get('classes')

    def files(self):
        if self._packed is not None:
            return self._packed.files()
        return [(name, os.path.join(self.root, name)) for name in self.names]

    def open_image(self, i):
        return open_rgb(os.path.join(self.root, self.names[i]))

    def load_ims(self, indices, rng=None):
        if self.ims is not None:
            ims = self.ims[indices]
        elif self._packed is not None:
            ims = self._packed.load_ims(indices)
            if self.channels == 1:
                ims = np.stack([channels_of(Image.fromarray(im.transpose(1, 2, 0)), 1) for im in ims])
        else:
            ims = super().load_ims(indices)
        if rng is not None and self.mirror:
            ims = np.where(rng.uniform(size=(len(ims), 1, 1, 1)) < .5, ims[..., ::-1], ims)
        return ims

    def _read_all(self):
        """All squares, uint8 (N, C, size, size), and a Counter of what was done to their images."""
        ims = np.empty((len(self.names), self.channels, self.size, self.size), np.uint8)
        changes, damaged = Counter(), []

        def read(i):
            try:
                image, done = decode(os.path.join(self.root, self.names[i]))
            except DamagedImage as error:
                return [], f'{self.names[i]} ({str(error).partition("found ")[2]})'
            ims[i] = channels_of(self._square(image, None), self.channels)
            return done + [ENLARGED] * (min(image.size) < self.size), None
        with ThreadPoolExecutor(os.cpu_count()) as pool, progress_bar(len(ims), f'images of {self.root}') as bar:
            for start in range(0, len(ims), READ_AHEAD):
                for done, error in pool.map(read, range(start, min(start + READ_AHEAD, len(ims)))):
                    changes.update(done)
                    damaged += [error] * (error is not None)
                    bar.update()
        if damaged:
            raise ValueError(f'{self.root}: {len(damaged)} of {len(ims)} images cannot be read: '
                             f'{some_of(damaged, 3)}; remove them, or have '
                             f'{called("source/datasets/prepare_images.py")} leave them out')
        return ims, changes

    def _digest(self):
        digest = hashlib.sha256(self.labels.astype('<i4'))
        if self.ims is not None:
            digest.update(self.ims)
        else:
            for name, path in self.files():
                stat = os.stat(path)
                digest.update(f'{name}\n{stat.st_size} {stat.st_mtime_ns}\n'.encode(errors='surrogateescape'))
        return digest.hexdigest()[:12]

    def _tell(self, changes):
        n_of_class = np.bincount(self.labels, minlength=max(self.n_classes, 1)).tolist()
        if self.class_names:
            shown = some_of([f'{c} ({n})' for c, n in zip(self.class_names, n_of_class, strict=True)])
            line = f'{len(self)} images of {n_of(self.class_names)}: {shown}'
        else:
            line = f'{len(self)} images without classes'
            if any('/' in name for name in self.names):
                line += f', as {printable(without_class(self.names))} is not in a subfolder of the first level'
        if self._packed is not None:
            line += '; prepared ones'
        elif self.ims is None:
            line += (f'; read from their files again and again: {called("source/datasets/prepare_images.py")} makes '
                     'that faster')
        if changes:
            line += '; ' + ', '.join(f'{n} {change}' for change, n in changes.most_common())
        tell(f'{self.root}: {line}')


def _find(root):
    names, passed_over = find_images(root)
    if not names:
        raise ValueError(f'{root}: expected images ({", ".join(SUFFIXES)}), found none')
    if passed_over:
        tell(f'{root}: {describe_passed_over(passed_over)}')
    return names


def _classes(root, names):
    try:
        return class_folders(names)
    except ValueError as error:
        raise ValueError(f'{root}: {error}') from None


def _open_packed(root, size, resize_method):
    """The PackedDataset in a folder, and the names of its classes."""
    name = f'images_{size}.npy'
    if not os.path.isfile(os.path.join(root, name)):
        found = ', '.join(sorted(filter(PACKED.fullmatch, os.listdir(root))))
        raise ValueError(f'{root}: expected {name}, images of {size} px, found {found}: choose that size, or prepare '
                         'this one')
    classes = classes_in_report(os.path.join(root, f'images_{size}_report.json'), resize_method)
    return PackedDataset(name, root, size, n_classes=max(len(classes), 1)), classes


def _reordered(root, found, labels, classes):
    """`classes` and the labels that count them, of images whose labels count those that were found."""
    if not isinstance(classes, list):
        raise ValueError(f'classes: expected a list of names, found {classes!r}')
    order = [str(c) for c in classes]
    if sorted(order) != sorted(found):
        raise ValueError(f'{root}: expected the {len(order)} classes that the config names, found {len(found)}, '
                         f'{difference(order, found)}')
    return order, np.array([order.index(c) for c in found], np.int32)[labels]
