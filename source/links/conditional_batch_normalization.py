from source.links.batch_normalization import normalize

import chainer
import numpy as np


class ConditionalBatchNormalization(chainer.Chain):
    """Batch normalization whose scale and shift are given per sample.

    Args:
        size: number of channels.
        n_cat: number of categories (kept for subclasses).
        decay: weight of the old value in the moving averages.
        eps: added to the variance.
        dtype: of the statistics.

    Persistent: `avg_mean`, `avg_var` (size,), which start at 0, and `N`, the number of fine-tuning batches seen.
    """

    def __init__(self, size, n_cat, decay=0.9, eps=2e-5, dtype=np.float32):
        super().__init__()
        self.size, self.n_cat, self.decay, self.eps = size, n_cat, decay, eps
        self.add_persistent('avg_mean', np.zeros(size, dtype=dtype))
        self.add_persistent('avg_var', np.zeros(size, dtype=dtype))
        self.add_persistent('N', 0)

    def forward(self, x, gamma, beta, finetune=False, activation=None, bias=None):
        """Normalizes x (B, C, …) per channel, then computes gamma·x + beta with gamma, beta (B, C)."""
        # Differs from sngan_projection: there `finetune` is swallowed.
        return normalize(self, x, gamma, beta, finetune, activation, bias=bias)

    def start_finetuning(self):
        """Forgets the batches seen so far, so that the next ones with `finetune` make the moving averages anew."""
        self.N = 0
