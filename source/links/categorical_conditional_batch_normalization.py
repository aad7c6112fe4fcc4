from source.links.batch_normalization import normalize
from source.links.conditional_batch_normalization import ConditionalBatchNormalization

import chainer.functions as F
import chainer.links as L
import numpy as np


class CategoricalConditionalBatchNormalization(ConditionalBatchNormalization):
    """Conditional batch normalization by category (Dumoulin et al., 2017; Miyato & Koyama, 2018).

    Children `gammas` and `betas` are embeddings (n_cat, size) that start at `initial_gamma` (1) and `initial_beta` (0).
    """

    def __init__(self, size, n_cat, decay=0.9, eps=2e-5, dtype=np.float32, initial_gamma=None, initial_beta=None):
        super().__init__(size, n_cat, decay, eps, dtype)
        with self.init_scope():
            self.gammas = L.EmbedID(n_cat, size, initialW=1. if initial_gamma is None else initial_gamma)
            self.betas = L.EmbedID(n_cat, size, initialW=0. if initial_beta is None else initial_beta)

    def forward(self, x, c, finetune=False, weights=None, activation=None, bias=None):
        """Normalizes x (B, C, …) for labels c, int (B,); or for blends of two labels, c int (B, 2), weights (B, 2)."""
        if weights is None and c.ndim == 1:
            return normalize(self, x, self.gammas.W, self.betas.W, finetune, activation, labels=c, bias=bias)
        gamma, beta = (self._blend(embedding(c), weights) for embedding in (self.gammas, self.betas))
        return super().forward(x, gamma, beta, finetune, activation, bias)

    @staticmethod
    def _blend(embedded, weights):
        if weights is None:
            raise ValueError('labels (B, 2) are blended by weights (B, 2), but no weights were given')
        weights = F.cast(weights, embedded.dtype)
        return F.sum(embedded * F.broadcast_to(F.expand_dims(weights, 2), embedded.shape), axis=1)
