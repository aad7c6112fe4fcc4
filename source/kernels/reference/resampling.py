"""Sums over and repetitions into blocks of 2×2 pixels, which are each other's transposes."""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def sum_2x2(x, factor):
    """factor · the sum of each 2×2, (B, H, W, C) → (B, H // 2, W // 2, C); an odd last row or column is left out."""
    h, w = (size // 2 * 2 for size in x.shape[1:3])
    wide = widened(x)[:, :h, :w]
    top = wide[:, ::2, ::2] + wide[:, ::2, 1::2]
    bottom = wide[:, 1::2, ::2] + wide[:, 1::2, 1::2]
    return narrowed((top + bottom) * factor, x.dtype)


def repeat_2x2(x, factor, out_shape):
    """factor · each pixel repeated 2×2, (B, H, W, C) → (B, *out_shape, C); an odd last row or column is 0.

    out_shape: (height, width) with height // 2 == H and width // 2 == W.
    """
    if (out_shape[0] // 2, out_shape[1] // 2) != x.shape[1:3]:
        raise ValueError(f'{x.shape[1:3]} pixels repeated 2x2 do not fill {tuple(out_shape)}')
    h, w = x.shape[1:3]
    y = np.zeros((len(x), *out_shape, x.shape[3]), x.dtype)
    y[:, :2 * h, :2 * w] = narrowed(widened(x) * factor, x.dtype).repeat(2, 1).repeat(2, 2)
    return y
