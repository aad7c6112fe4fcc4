import chainer
import chainer.functions as F
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
        self.size, self.n_cat, self.decay, self.eps, self.dtype = size, n_cat, decay, eps, np.dtype(dtype)
        self.add_persistent('avg_mean', np.zeros(size, dtype=dtype))
        self.add_persistent('avg_var', np.zeros(size, dtype=dtype))
        self.add_persistent('N', 0)

    def forward(self, x, gamma, beta, finetune=False):
        """Normalizes x (B, C, …) per channel, then computes gamma·x + beta with gamma, beta (B, C).

        In training mode the batch's statistics are used and the moving averages move by `decay`, or with `finetune`
        so that they are the plain mean over all fine-tuning batches; in test mode the moving averages are used.
        """
        xp = self.xp
        one, zero = xp.ones(self.size, self.dtype), xp.zeros(self.size, self.dtype)
        if chainer.config.train:
            decay = self.decay
            if finetune:
                self.N += 1
                decay = 1. - 1. / self.N
            h = F.batch_normalization(x, one, zero, eps=self.eps, running_mean=self.avg_mean,
                                      running_var=self.avg_var, decay=decay)
        else:
            h = F.fixed_batch_normalization(x, one, zero, self.avg_mean, self.avg_var, self.eps)
        per_channel = gamma.shape + (1,) * (x.ndim - 2)
        gamma = F.broadcast_to(F.reshape(gamma, per_channel), x.shape)
        beta = F.broadcast_to(F.reshape(beta, per_channel), x.shape)
        return gamma * h + beta

    def start_finetuning(self):
        """Forgets the batches seen so far, so that the next ones with `finetune` make the moving averages anew."""
        self.N = 0
