"""Batch normalization of channels-last arrays, with scale and shift and (leaky) ReLU, in fused passes.

x is float32 (N, H, W, C); gamma and beta are float32 (C,), or (N, C) with one scale and shift per sample. `slope`
multiplies negative results: 0 is ReLU, 1 leaves them alone. Sums run in float64 over a fixed split of the data,
whatever the number of threads, so that equal inputs give equal bits. The passes themselves take x as (N, P, C):
samples, pixels, channels.
"""
from source.kernels.cpu.options import EXACT

import numba
import numpy as np
from numba import float32, float64, void

_x, _per_sample, _per_channel, _sums = float32[:, :, ::1], float32[:, ::1], float32[::1], float64[:, :, ::1]


@numba.njit(numba.types.UniTuple(float64[::1], 2)(_x), **EXACT)
def _batch_statistics(x):
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


@numba.njit(void(_x, _per_sample, _per_sample, float32, _x), **EXACT)
def _scale_shift(x, scale, shift, slope, y):
    """y = a where a > 0, else slope·a, with a = scale·x + shift; scale, shift float32 (N, C)."""
    n, pixels, channels = x.shape
    for i in numba.prange(n):
        for p in range(pixels):
            for c in range(channels):
                a = scale[i, c] * x[i, p, c] + shift[i, c]
                y[i, p, c] = max(a, slope * a)


@numba.njit(void(_x, _x, _per_sample, _per_sample, float32, _per_channel, _sums), **EXACT)
def _scale_shift_sums(x, gy, scale, shift, slope, mean, gx_sums):
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


@numba.njit(void(_x, _x, _per_sample, _per_sample, float32, _per_channel, _per_channel, _x), **EXACT)
def _gradient(x, gy, scale, shift, slope, per_channel, x_coefficient, gx):
    """gx = scale·g + x_coefficient·x + per_channel, g being gy through the activation."""
    n, pixels, channels = x.shape
    for i in numba.prange(n):
        for p in range(pixels):
            for c in range(channels):
                a = scale[i, c] * x[i, p, c] + shift[i, c]
                g = gy[i, p, c] if a > 0 else slope * gy[i, p, c]
                gx[i, p, c] = scale[i, c] * g + x_coefficient[c] * x[i, p, c] + per_channel[c]


def batch_normalize(x, gamma, beta, running_mean, running_var, eps, decay, slope):
    """Normalizes by the statistics of the batch; returns y, mean and inv_std = 1 / √(variance + eps), float64 (C,).

    In place, running_mean and running_var (C,) become decay·old + (1 − decay)·new, the variance unbiased.
    """
    pixels = _pixels(x)
    mean, var = _batch_statistics(pixels)
    m = pixels.shape[0] * pixels.shape[1]
    running_mean += (1 - decay) * (mean - running_mean)
    running_var += (1 - decay) * (var * (m / max(m - 1, 1)) - running_var)
    inv_std = 1 / np.sqrt(var + eps)
    return scale_shift(x, *_as_scale_shift(gamma, beta, mean, inv_std), slope), mean, inv_std


def batch_normalize_gradient(x, gy, gamma, beta, mean, inv_std, slope):
    """The gradients of y of `batch_normalize`: gx like x, ggamma and gbeta like gamma."""
    pixels, gy = _pixels(x), _pixels(gy)
    scale, shift = (_per_sample(a, len(x)) for a in _as_scale_shift(gamma, beta, mean, inv_std))
    slope = np.float32(slope)
    sums = np.empty((len(pixels), 2, pixels.shape[2]))
    _scale_shift_sums(pixels, gy, scale, shift, slope, mean.astype(np.float32), sums)
    gbeta, ggamma = sums[:, 0], sums[:, 1] * inv_std
    m = pixels.shape[0] * pixels.shape[1]
    mean_g = (gamma * gbeta).sum(0) / m
    mean_g_x = (gamma * ggamma).sum(0) / m
    x_coefficient = -inv_std ** 2 * mean_g_x
    per_channel = -inv_std * mean_g - x_coefficient * mean
    gx = np.empty_like(pixels)
    _gradient(pixels, gy, scale, shift, slope, per_channel.astype(np.float32), x_coefficient.astype(np.float32), gx)
    ggamma, gbeta = ggamma.astype(np.float32), gbeta.astype(np.float32)
    if gamma.ndim == 1:
        ggamma, gbeta = ggamma.sum(0), gbeta.sum(0)
    return gx.reshape(x.shape), ggamma, gbeta


def fixed_batch_normalize(x, gamma, beta, mean, var, eps, slope):
    """Normalizes by the given mean and variance, float32 (C,)."""
    scale = gamma * (1 / np.sqrt(var + eps))
    return scale_shift(x, scale, beta - scale * mean, slope)


def scale_shift(x, scale, shift, slope):
    """y = a where a > 0, else slope·a, with a = scale·x + shift; scale, shift float32 (C,) or (N, C)."""
    pixels = _pixels(x)
    y = np.empty_like(pixels)
    _scale_shift(pixels, _per_sample(scale, len(x)), _per_sample(shift, len(x)), np.float32(slope), y)
    return y.reshape(x.shape)


def _pixels(x):
    return x.reshape(len(x), -1, x.shape[3])


def _per_sample(parameter, n):
    parameter = np.ascontiguousarray(parameter)
    return parameter if parameter.ndim == 2 else np.repeat(parameter[None], n, 0)


def _as_scale_shift(gamma, beta, mean, inv_std):
    scale = gamma * inv_std
    return scale.astype(np.float32), (beta - scale * mean).astype(np.float32)
