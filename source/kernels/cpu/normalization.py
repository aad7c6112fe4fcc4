"""Batch normalization of channels-last arrays, with per-sample scale and shift and (leaky) ReLU, in fused passes.

x is float32 (N, P, C): samples, pixels, channels. gamma and beta are float32 (N, C). `slope` multiplies negative
results: 0 is ReLU, 1 leaves them alone. Sums run in float64 over a fixed split of the data, whatever the number of
threads, so that equal inputs give equal bits.
"""
from source.kernels.cpu.options import OPTIONS

import numba
import numpy as np
from numba import float32, float64, void

_x, _per_sample, _per_channel, _sums = float32[:, :, ::1], float32[:, ::1], float32[::1], float64[:, :, ::1]


@numba.njit(numba.types.UniTuple(float64[::1], 2)(_x), **OPTIONS)
def batch_statistics(x):
    """Mean and biased variance of each channel over samples and pixels, float64 (C,)."""
    n, pixels, channels = x.shape
    shift = x[0, 0].copy()  # sums of x - shift keep their digits where the mean is far from 0
    sums = np.empty((n, 2, channels))
    for i in numba.prange(n):
        block = np.zeros((2, channels), np.float32)
        total = np.zeros((2, channels))
        for p in range(pixels):
            for c in range(channels):
                d = x[i, p, c] - shift[c]
                block[0, c] += d
                block[1, c] += d * d
            if p % 16 == 15 or p == pixels - 1:
                for k in range(2):
                    for c in range(channels):
                        total[k, c] += block[k, c]
                        block[k, c] = 0
        for k in range(2):  # copied by hand: numba compiles an assignment of arrays for seconds
            for c in range(channels):
                sums[i, k, c] = total[k, c]
    mean, var = np.empty(channels), np.empty(channels)
    m = n * pixels
    for c in range(channels):
        first, second = 0., 0.
        for i in range(n):
            first += sums[i, 0, c]
            second += sums[i, 1, c]
        first /= m
        mean[c] = first + shift[c]
        var[c] = max(second / m - first * first, 0.)
    return mean, var


@numba.njit(void(_x, _per_sample, _per_sample, float32, _x), **OPTIONS)
def scale_shift(x, scale, shift, slope, y):
    """y = a where a > 0, else slope·a, with a = scale·x + shift; scale, shift float32 (N, C)."""
    n, pixels, channels = x.shape
    for i in numba.prange(n):
        for p in range(pixels):
            for c in range(channels):
                a = scale[i, c] * x[i, p, c] + shift[i, c]
                y[i, p, c] = max(a, slope * a)


@numba.njit(void(_x, _x, _per_sample, _per_sample, float32, _per_channel, _sums), **OPTIONS)
def scale_shift_sums(x, gy, scale, shift, slope, mean, gx_sums):
    """Per sample and channel, into gx_sums (N, 2, C), float64: the sums of g and of g·(x - mean), g being gy through
    the activation."""
    n, pixels, channels = x.shape
    for i in numba.prange(n):
        block = np.zeros((2, channels), np.float32)
        total = np.zeros((2, channels))
        for p in range(pixels):
            for c in range(channels):
                a = scale[i, c] * x[i, p, c] + shift[i, c]
                g = gy[i, p, c] if a > 0 else slope * gy[i, p, c]
                block[0, c] += g
                block[1, c] += g * (x[i, p, c] - mean[c])
            if p % 16 == 15 or p == pixels - 1:
                for k in range(2):
                    for c in range(channels):
                        total[k, c] += block[k, c]
                        block[k, c] = 0
        for k in range(2):
            for c in range(channels):
                gx_sums[i, k, c] = total[k, c]


@numba.njit(void(_x, _x, _per_sample, _per_sample, float32, _per_channel, _per_channel, _x), **OPTIONS)
def batch_normalization_gradient(x, gy, scale, shift, slope, per_channel, x_coefficient, gx):
    """gx = scale·g + x_coefficient·x + per_channel, g being gy through the activation."""
    n, pixels, channels = x.shape
    for i in numba.prange(n):
        for p in range(pixels):
            for c in range(channels):
                a = scale[i, c] * x[i, p, c] + shift[i, c]
                g = gy[i, p, c] if a > 0 else slope * gy[i, p, c]
                gx[i, p, c] = scale[i, c] * g + x_coefficient[c] * x[i, p, c] + per_channel[c]
