"""Any data set of (image, label) pairs, as Chainer knows them, as the 8-bit images and labels that are scored."""
import functools

from source.command_line.progress_bar import progress_bar
from source.command_line.standard_streams import tell
from source.datasets.batch_checks import BatchCheck, whole_labels

import numpy as np

N_PROBES = 32  # images whose labels are compared with the data set's own
OFFERED = 'ims', 'labels', 'n_classes', 'size', 'load_ims', 'files'  # by an ImageDataset, to whatever scores


def as_images(dataset, n_classes=0):
    """Return `dataset` where it is an ImageDataset or offers as much, else a PairsAsImages of it."""
    return dataset if all(hasattr(dataset, name) for name in OFFERED) else PairsAsImages(dataset, n_classes)


def as_given(dataset):
    """Return the data set that the config names: of a PairsAsImages, that of its pairs."""
    return dataset.wrapped if isinstance(dataset, PairsAsImages) else dataset


class PairsAsImages:
    """Offers what an ImageDataset does, of a data set of (image, label) pairs as training takes them (BatchCheck).

    Images become floor((x + 1) * 128), the inverse of training's dequantization and of x = ims / 127.5 - 1 too. They
    have 3 channels, or all 1. Labels are the data set's `labels`, where its pairs have the same, or else read in one
    pass that shows a progress bar; without classes they are 0. Raises BadBatch, a ValueError of one line, for a pair of
    another kind.

    Args:
        dataset: with a length and `dataset[i]`.
        n_classes: of its labels, where it has no `n_classes` itself.
    """

    ims = None

    def __init__(self, dataset, n_classes=0):
        self.wrapped, name = dataset, type(dataset).__name__
        found = getattr(dataset, 'n_classes', None)
        self.n_classes = int(found) if isinstance(found, int | np.integer) else n_classes
        self._check = BatchCheck(None, (), name)
        first = self._read(0)
        shape = np.shape(first[0]) if isinstance(first, tuple) and first else ()
        self.size = shape[-1] if shape else 0
        self.channels = 1 if len(shape) == 3 and shape[0] == 1 else 3
        self._check = BatchCheck(self.n_classes or None, (self.channels, self.size, self.size), name)
        if not np.array_equal(*(self.load_ims([0]) for _ in range(2))):
            tell(f'warning: {name} does not give the same image twice; real images are taken as they come')

    def __len__(self):
        return len(self.wrapped)

    @functools.cached_property
    def labels(self):
        """int32 (N,)."""
        if not self.n_classes:
            return np.zeros(len(self), np.int32)
        labels = whole_labels(self.wrapped)
        probes = np.unique(np.linspace(0, len(self) - 1, N_PROBES).astype(int))
        if labels is None or any(self._pair(i)[1] != labels[i] for i in probes):
            labels = np.empty(len(self), np.int32)
            with progress_bar(len(self), f'labels of {self._check.where}') as bar:
                for i in range(len(self)):
                    labels[i] = self._pair(i)[1]
                    bar.update()
        self._check.check_all_labels(labels)
        return labels.astype(np.int32)

    def load_ims(self, indices, rng=None):
        """Return ims, uint8 (B, C, S, S)."""
        x = np.stack([np.array(self._pair(i)[0]) for i in indices])  # copies: a data set may fill one array again
        return np.clip(np.floor((x + 1) * 128), 0, 255).astype(np.uint8)

    def files(self):
        return None

    def _pair(self, i):
        pair = self._read(i)
        self._check.check([pair], [i])
        return pair

    def _read(self, i):
        return self._check.read(self.wrapped, lambda: self.wrapped[int(i)])
