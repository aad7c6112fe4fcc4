"""3×3 pooling of channels-last float32 arrays, into some channels of a larger one; and the mean over all pixels."""
from source.kernels.cpu.options import EXACT

import numba
import numpy as np
from numba import boolean, int64, types

_Images = types.Array(types.float32, 4, 'C')
_Rows = types.Array(types.float32, 2, 'C')


@numba.njit(types.void(_Images, int64, int64, _Images, int64), **EXACT)
def max_3x3(x, stride, pad, y, first_channel):
    """y (N, H', W', …), from `first_channel` on, = the largest of each window of x (N, H, W, C) inside it."""
    n, height, width, channels = x.shape
    rows = y.shape[1]
    for job in numba.prange(n * rows):
        image, i = job // rows, job % rows
        top, bottom = max(i * stride - pad, 0), min(i * stride - pad + 3, height)
        for j in range(y.shape[2]):
            left, right = max(j * stride - pad, 0), min(j * stride - pad + 3, width)
            out = y[image, i, j, first_channel:first_channel + channels]
            out[:] = x[image, top, left]
            for row in range(top, bottom):
                for column in range(left, right):
                    pixel = x[image, row, column]
                    for c in range(channels):
                        out[c] = max(out[c], pixel[c])


@numba.njit(types.void(_Images, boolean, _Images, int64), **EXACT)
def average_3x3(x, counts_padding, y, first_channel):
    """y (N, H, W, …), from `first_channel` on, = the average of each window of x, stride 1 and padding 1."""
    n, height, width, channels = x.shape
    for job in numba.prange(n * height):
        image, i = job // height, job % height
        top, bottom = max(i - 1, 0), min(i + 2, height)
        for j in range(width):
            left, right = max(j - 1, 0), min(j + 2, width)
            n_pixels = 9 if counts_padding else (bottom - top) * (right - left)
            factor = np.float32(1) / np.float32(n_pixels)
            out = y[image, i, j, first_channel:first_channel + channels]
            out[:] = 0
            for row in range(top, bottom):
                for column in range(left, right):
                    pixel = x[image, row, column]
                    for c in range(channels):
                        out[c] += pixel[c]
            for c in range(channels):
                out[c] *= factor


@numba.njit(types.void(_Images, _Rows), **EXACT)
def mean_of_pixels(x, y):
    """y (N, C) = the mean of x (N, H, W, C) over its pixels."""
    n, height, width, channels = x.shape
    for image in numba.prange(n):
        y[image] = 0
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    y[image, c] += x[image, i, j, c]
        for c in range(channels):
            y[image, c] /= np.float32(height * width)
