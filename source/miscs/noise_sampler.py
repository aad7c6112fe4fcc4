from source.miscs.random_samples import sample_categorical, sample_continuous
from source.miscs.random_state import serialize_random_state

import numpy as np


class NoiseSampler:
    """The generator's inputs, from a random state of its own that snapshots keep.

    Drawn on the CPU, so that a run's noise does not depend on its device. `truncation`: see `sample_continuous`.
    `part` is (rank, size) of several processes: all draw what one would draw for the whole batch, and each takes its
    share.
    """

    def __init__(self, dim_z, n_classes=0, distribution='normal', seed=None, truncation=None, part=(0, 1)):
        self.part = part
        self.dim_z, self.n_classes, self.distribution = dim_z, n_classes, distribution
        self.truncation = truncation
        self.rng = np.random.RandomState(seed)

    def continuous(self, n):
        """Latents, float32 (n, dim_z)."""
        return self._share(sample_continuous(self.dim_z, n * self.part[1], self.distribution, rng=self.rng,
                                             truncation=self.truncation), n)

    def categorical(self, n):
        """Labels, int32 (n,)."""
        return self._share(sample_categorical(self.n_classes, n * self.part[1], rng=self.rng), n)

    def _share(self, samples, n):
        first = self.part[0] * n
        return samples[first:first + n]

    def serialize(self, serializer):
        serialize_random_state(serializer, self.rng)
