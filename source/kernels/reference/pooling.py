"""The discriminator's head: (leaky) ReLU and the sum over all pixels."""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def sum_pixels(x, slope, factor=1.):
    """factor · the sum over pixels of a(x), (B, H, W, C) → float32 (B, C), a being `elementwise.activate`.

    slope 1 is no activation; factor 1 / (H·W) is the mean.
    """
    wide = widened(x)
    sums = np.where(wide > 0, wide, slope * wide).sum((1, 2), dtype=np.float64)
    return (sums * factor).astype(wide.dtype)


def sum_pixels_gradient(gy, x, slope, factor=1.):
    """The gradient with respect to x, of x's shape and dtype, from gy float32 (B, C)."""
    wide = widened(x)
    g = (gy * gy.dtype.type(factor))[:, None, None]
    return narrowed(np.where(wide > 0, g, slope * g), x.dtype)
