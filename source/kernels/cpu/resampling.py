"""Sums over 2×2 pixels and their transpose, on channels-last float32 arrays (N, H, W, C).

With factor 1/4 the sum is average pooling; with factor 1 the repetition is nearest-neighbour upsampling.
"""
from source.kernels.cpu.options import EXACT

import numba
import numpy as np
from numba import float32

_SIGNATURE = numba.void(float32[:, :, :, ::1], float32, float32[:, :, :, ::1])


@numba.njit(_SIGNATURE, **EXACT)
def _sum_2x2(x, factor, y):
    n, h, w, channels = y.shape
    for i in numba.prange(n):
        for row in range(h):
            for column in range(w):
                for c in range(channels):
                    y[i, row, column, c] = factor * (
                        (x[i, 2 * row, 2 * column, c] + x[i, 2 * row, 2 * column + 1, c])
                        + (x[i, 2 * row + 1, 2 * column, c] + x[i, 2 * row + 1, 2 * column + 1, c]))


@numba.njit(_SIGNATURE, **EXACT)
def _repeat_2x2(x, factor, y):
    n, h, w, channels = x.shape
    for i in numba.prange(n):
        for row in range(y.shape[1]):
            for column in range(y.shape[2]):
                if row < 2 * h and column < 2 * w:
                    for c in range(channels):
                        y[i, row, column, c] = factor * x[i, row // 2, column // 2, c]
                else:
                    for c in range(channels):
                        y[i, row, column, c] = 0


def sum_2x2(x, factor):
    """factor · the sum of each 2×2 of x, (N, H // 2, W // 2, C); an odd last row or column is left out."""
    y = np.empty((len(x), x.shape[1] // 2, x.shape[2] // 2, x.shape[3]), np.float32)
    _sum_2x2(x, np.float32(factor), y)
    return y


def repeat_2x2(x, factor, out_shape):
    """factor · each pixel repeated 2×2, (N, *out_shape, C); an odd last row or column becomes 0."""
    y = np.empty((len(x), *out_shape, x.shape[3]), np.float32)
    _repeat_2x2(x, np.float32(factor), y)
    return y
