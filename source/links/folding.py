"""Convolution and the batch normalization behind it as one convolution, for inference."""
import numpy as np


def folded(conv, bn):
    """Return weight (O, C, kh, kw) and bias (O,), float32, of what both Chainer links compute with fixed statistics.

    Reckoned in float64. A link without a bias has one of 0.
    """
    factor = bn.gamma.array.astype(np.float64) / np.sqrt(bn.avg_var.astype(np.float64) + bn.eps)
    bias = 0. if conv.b is None else conv.b.array
    w = conv.W.array * factor[:, None, None, None]
    return w.astype(np.float32), (bn.beta.array + (bias - bn.avg_mean.astype(np.float64)) * factor).astype(np.float32)
