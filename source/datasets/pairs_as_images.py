"""Any data set of (image, label) pairs, as Chainer knows them, as the 8-bit images and labels that are scored."""
import functools
import sys

from source.datasets.batch_checks import BatchCheck
from source.miscs.progress_bar import progress_bar

import numpy as np

OFFERED = 'ims', 'labels', 'n_classes', 'size', 'load_ims', 'files'  # by an ImageDataset, to whatever scores


def as_images(dataset, n_classes=0):
    """Return `dataset` where it is an ImageDataset or offers as much, else a PairsAsImages of it."""
    return dataset if all(hasattr(dataset, name) for name in OFFERED) else PairsAsImages(dataset, n_classes)


class PairsAsImages:
    """Offers what an ImageDataset does, of a data set of (image, label) pairs as training takes them (BatchCheck).

    Images become floor((x + 1) * 128), the inverse of training's dequantization and of x = ims / 127.5 - 1 too. Labels
    are the data set's `labels`, or are read in one pass that shows a progress bar; without classes they are 0. Raises
    BadBatch, a ValueError of one line, for a pair of another kind.

    Args:
        dataset: with a length and `dataset[i]`.
        n_classes: of its labels, where it has no `n_classes` itself.
    """

    ims = None

    def __init__(self, dataset, n_classes=0):
        self.wrapped, self.name = dataset, type(dataset).__name__
        found = getattr(dataset, 'n_classes', None)
        self.n_classes = int(found) if isinstance(found, int | np.integer) else n_classes
        self._check = BatchCheck(None, (), self.name)
        first = self._read(0)
        shape = np.shape(first[0]) if isinstance(first, tuple) and first else ()
        self.size = shape[-1] if shape else 0
        self._check = BatchCheck(self.n_classes or None, (3, self.size, self.size), self.name)
        if not np.array_equal(*(self.load_ims([0]) for _ in range(2))):
            print(f'warning: {self.name} does not give the same image twice; real images are taken as they come',
                  file=sys.stderr)

    def __len__(self):
        return len(self.wrapped)

    @functools.cached_property
    def labels(self):
        """int32 (N,)."""
        if not self.n_classes:
            return np.zeros(len(self), np.int32)
        labels = np.asarray(getattr(self.wrapped, 'labels', ()))
        if labels.shape != (len(self),) or labels.dtype.kind != 'i':
            labels = np.empty(len(self), np.int32)
            with progress_bar(len(self), f'labels of {self.name}') as bar:
                for i in range(len(self)):
                    labels[i] = self._pair(i)[1]
                    bar.update()
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.n_classes:
            raise ValueError(f'{self.name}: labels: expected 0 to {self.n_classes - 1}, found {labels.min()} to '
                             f'{labels.max()}')
        return labels.astype(np.int32)

    def load_ims(self, indices, rng=None):
        """Return ims, uint8 (B, 3, S, S)."""
        x = np.stack([self._pair(i)[0] for i in indices])
        return np.clip(np.floor((x + 1) * 128), 0, 255).astype(np.uint8)

    def files(self):
        return None

    def _pair(self, i):
        pair = self._read(i)
        self._check.check([pair], [i])
        return pair

    def _read(self, i):
        return self._check.read(self.wrapped, lambda: self.wrapped[int(i)])
