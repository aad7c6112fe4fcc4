from source.links.batch_normalization import normalize
from source.links.constant_weights import as_configured

import chainer.links as L


class BatchNormalizationWithoutMultiplier(L.BatchNormalization):
    """Batch normalization of x (B, C, …) with a shift `beta` (C,) and no multiplier.

    Each batch is normalized by statistics of its own, so real and generated images, given apart, do not mix.
    """

    def __init__(self, size):
        super().__init__(size, use_gamma=False)

    def forward(self, x):
        one = self.xp.ones(self.beta.shape, self.beta.dtype)
        return normalize(self, x, one, as_configured(self.beta))
