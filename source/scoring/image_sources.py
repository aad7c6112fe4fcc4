"""What is scored: a generator's samples, or stored images; either whole or class by class."""
from source.miscs.generate import generate_batches
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.judging import BATCHSIZE, stored_batches

import numpy as np


class GeneratedImages:
    """Samples of a generator, as many as are asked for, the same for the same seed."""

    n = None  # no bound

    def __init__(self, gen, seed):
        self.gen, self.seed = gen, seed
        self.n_classes = gen.n_classes  # 0: it knows none

    def batches(self, n):
        """Yield (ims, y) of n samples, y None without classes."""
        yield from generate_batches(self.gen, n, self._sampler(self.seed))

    def batches_of_class(self, c, n):
        """Yield (ims, y) of n samples of class c, whatever was generated before."""
        labels = np.full(n, c, np.int32) if self.n_classes else None
        yield from generate_batches(self.gen, n, self._sampler((self.seed, c)), labels)

    def n_of_class(self, c):
        return None

    def pairs_of_class(self, c, n):
        """Yield (ims0, ims1) of n pairs of samples of class c, no sample in two pairs."""
        ims = np.concatenate([ims for ims, _ in self.batches_of_class(c, 2 * n)])
        yield ims[:n], ims[n:]

    def _sampler(self, seed):
        return NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution, seed)


class StoredImages:
    """Images of an ImageDataset, in its order."""

    def __init__(self, dataset, seed=0):
        self.dataset, self.seed = dataset, seed
        self.n = len(dataset)
        self.n_classes = dataset.n_classes if getattr(dataset, 'labelled', True) else 0

    def batches(self, n):
        yield from stored_batches(self.dataset, np.arange(n))

    def batches_of_class(self, c, n):
        yield from stored_batches(self.dataset, self._of_class(c)[:n])

    def n_of_class(self, c):
        return len(self._of_class(c))

    def pairs_of_class(self, c, n):
        """Yield (ims0, ims1) of n pairs of two images of class c, drawn with the seed; one image may be in many."""
        indices = self._of_class(c)
        if len(indices) < 2:
            raise ValueError(f'class {c}: expected at least 2 images to make pairs of, found {len(indices)}')
        rng = np.random.RandomState((self.seed, c))
        first = rng.randint(len(indices), size=n)
        second = (first + rng.randint(1, len(indices), size=n)) % len(indices)
        for start in range(0, n, BATCHSIZE):
            yield tuple(self.dataset.load_ims(indices[k[start:start + BATCHSIZE]]) for k in (first, second))

    def _of_class(self, c):
        return np.flatnonzero(self.dataset.labels == c) if self.n_classes else np.arange(self.n)
