from source.functions.differentiable_augmentation import N_DRAWS
from source.miscs.random_samples import sample_categorical, sample_continuous
from source.miscs.random_state import serialize_random_state

import numpy as np


class NoiseSampler:
    """The generator's inputs, and the draws of augmentation, from a random state of its own that snapshots keep.

    Drawn on the CPU, so that a run's noise does not depend on its device. `truncation`: see `sample_continuous`.
    """

    def __init__(self, dim_z, n_classes=0, distribution='normal', seed=None, truncation=None):
        self.dim_z, self.n_classes, self.distribution = dim_z, n_classes, distribution
        self.truncation = truncation
        self.rng = np.random.RandomState(seed)

    def continuous(self, n):
        """Latents, float32 (n, dim_z)."""
        return sample_continuous(self.dim_z, n, self.distribution, rng=self.rng, truncation=self.truncation)

    def categorical(self, n):
        """Labels, int32 (n,)."""
        return sample_categorical(self.n_classes, n, rng=self.rng)

    def augmentation(self, n):
        """Uniform numbers, float32 (n, 7), multiples of 2⁻²⁴ in [0, 1): other floats could be rounded to 1."""
        return (self.rng.randint(1 << 24, size=(n, N_DRAWS)) / (1 << 24)).astype(np.float32)

    def serialize(self, serializer):
        serialize_random_state(serializer, self.rng)
