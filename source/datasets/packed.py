"""ImageNet, or any labelled images, from the packed file that `prepare_imagenet.py` writes."""
import os

from source.datasets.packed_file import announce, labels_path, open_packed
from source.datasets.square_crops import SquareCrops

import numpy as np
from PIL import Image


class PackedDataset(SquareCrops):
    """The images of the packed file `path` (see packed_file.py) in the folder `root`, mapped into memory.

    Prepared at `size` they are what ImageNetDataset gives of the raw files, bit for bit. With `augmentation` a random
    square lies within the central one, which is all that was kept, as with the prepared images of the released code.
    Crop, resize and their arguments are those of `SquareCrops`. Raises FileNotFoundError where the file or its labels
    are missing, ValueError where they are damaged or a label is not below `n_classes`.
    """

    first_label = 0  # the label that becomes class 0
    chooses = False  # whether images of other labels are left out, rather than refused

    def __init__(self, path, root, size=128, resize_method='bilinear', augmentation=False, crop_ratio=1.,
                 n_classes=1000, stretch_contrast=False):
        self._path = os.path.join(root, path)
        self._packed, labels = open_packed(self._path)
        classes, self._rows = labels - self.first_label, None
        if self.chooses:
            self._rows = np.flatnonzero((0 <= classes) & (classes < n_classes))
            classes = classes[self._rows]
            if not len(classes):
                raise ValueError(f'{self._path}: expected images with labels {self.first_label} to '
                                 f'{self.first_label + n_classes - 1}, found {labels.min()} to {labels.max()}')
        elif classes.min() < 0 or classes.max() >= n_classes:
            raise ValueError(f'{labels_path(self._path)}: expected labels 0 to {n_classes - 1}, found {labels.min()} '
                             f'to {labels.max()}')
        super().__init__(classes, n_classes, size, resize_method, augmentation, crop_ratio, stretch_contrast)

    def files(self):
        return [(os.path.basename(path), path) for path in (self._path, labels_path(self._path))]

    def open_image(self, i):
        return Image.fromarray(self._packed[i if self._rows is None else self._rows[i]])

    def load_ims(self, indices, rng=None):
        rows = np.asarray(indices) if self._rows is None else self._rows[indices]
        announce(self._packed, rows)
        if self._packed.shape[1] != self.size or rng is not None and (self.augmentation or self.stretch_contrast):
            return super().load_ims(indices, rng)
        return np.ascontiguousarray(self._packed[rows].transpose(0, 3, 1, 2))


class PackedDogAndCatDataset(PackedDataset):
    """Of a packed ImageNet the 143 dog and cat classes, labels 151 to 293, counted from 0."""

    first_label, chooses = 151, True

    def __init__(self, path, root, size=128, resize_method='bilinear', augmentation=False, crop_ratio=.9,
                 stretch_contrast=False):
        super().__init__(path, root, size, resize_method, augmentation, crop_ratio, 143, stretch_contrast)
