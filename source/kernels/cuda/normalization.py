"""Batch normalization joined with the (leaky) ReLU that follows; see `source.kernels.reference.normalization`.

Two launches forward: statistics, and the pass that normalizes. Two backward, and one for the tables of categories.
"""
from source.kernels.cuda import launching

import numpy as np

_PIXELS_OF_THREAD = 8  # so that reading scale and shift costs little


def batch_normalize(x, gamma, beta, running_mean, running_var, eps, decay, slope, bias=None):
    return _batch_normalize(x, gamma, beta, None, running_mean, running_var, eps, decay, slope, bias)


def batch_normalize_categorical(x, gammas, betas, labels, running_mean, running_var, eps, decay, slope, bias=None):
    return _batch_normalize(x, gammas, betas, labels, running_mean, running_var, eps, decay, slope, bias)


def fixed_batch_normalize(x, gamma, beta, mean, var, eps, slope):
    return _normalize(x, gamma, beta, None, mean, var, True, eps, slope)


def fixed_batch_normalize_categorical(x, gammas, betas, labels, mean, var, eps, slope):
    return _normalize(x, gammas, betas, labels, mean, var, True, eps, slope)


def scale_shift(x, scale, shift, slope):
    stride, _ = _check(x, scale, shift)
    y = launching.empty_like(x)
    vec = launching.vec_of(x, x.shape[3], y, scale, shift)
    grid, block, parts, per_block = _pixel_blocks(x, vec)
    args = (x, y, scale, shift, stride, parts, *_pixels_and_channels(x), per_block, np.float32(slope))
    _launch('scale_shift', grid, block, args, x.dtype, vec)
    return y


def batch_normalize_gradient(x, gy, gamma, beta, mean, inv_std, slope):
    return _gradient(x, gy, gamma, beta, None, mean, inv_std, slope)


def batch_normalize_categorical_gradient(x, gy, gammas, betas, labels, mean, inv_std, slope):
    return _gradient(x, gy, gammas, betas, labels, mean, inv_std, slope)


def _launch(kernel, grid, block, args, dtype, vec):
    launching.launch('normalization', kernel, grid, block, args, dtype, vec)


def _check(x, gamma, beta, labels=None):
    """The distance of rows of gamma and beta, and labels or a pointer to nothing."""
    launching.contiguous(x, gamma, beta)
    b, channels = len(x), x.shape[3]
    rows = ((channels,), (b, channels)) if labels is None else ((len(gamma), channels),)
    if gamma.shape not in rows or beta.shape != gamma.shape or gamma.dtype != np.float32 or beta.dtype != np.float32:
        raise ValueError(f'scale and shift must be float32 of shape {" or ".join(map(str, rows))} for x of shape '
                         f'{x.shape}, got {gamma.dtype} {gamma.shape} and {beta.dtype} {beta.shape}')
    if labels is not None and (labels.shape != (b,) or labels.dtype != np.int32):
        raise ValueError(f'labels must be int32 of shape {(b,)}, got {labels.dtype} {labels.shape}')
    return np.int32(0 if gamma.ndim == 1 else channels), launching.NULL if labels is None else labels


def _pixels_and_channels(x):
    return np.int32(x.shape[1] * x.shape[2]), np.int32(x.shape[3])


def _pixel_blocks(x, vec, most_parts=None):
    """Grid (samples × parts of their pixels, tiles of channels), block, parts and pixels of a part."""
    b, h, w, channels = x.shape
    block = launching.channels_block(channels, vec)
    tiles = launching.ceil_div(channels, block[0] * vec)
    parts = launching.ceil_div(h * w, block[1] * _PIXELS_OF_THREAD)
    if most_parts is not None:
        parts = min(parts, max(1, most_parts // (b * tiles)))
    per_block = launching.ceil_div(h * w, parts)
    parts = launching.ceil_div(h * w, per_block)
    return (b * parts, tiles), block, np.int32(parts), np.int32(per_block)


def _batch_normalize(x, gamma, beta, labels, running_mean, running_var, eps, decay, slope, bias):
    launching.contiguous(x)
    channels = x.shape[3]
    rows = x.size // channels
    mean, inv_std = launching.empty((channels,)), launching.empty((channels,))
    vec = launching.vec_of(x, channels)
    grid, block, per_part = launching.rows_split(rows, channels, vec)
    args = (x, launching.empty((grid[0], 2, channels)), launching.counters(grid[1]), mean, inv_std, running_mean,
            running_var, launching.NULL if bias is None else bias, np.int32(rows), np.int32(channels),
            np.int32(per_part), np.float32(eps), np.float32(1 - decay))
    _launch('statistics', grid, block, args, x.dtype, vec)
    return _normalize(x, gamma, beta, labels, mean, inv_std, False, eps, slope), mean, inv_std


def _normalize(x, gamma, beta, labels, mean, deviation, is_variance, eps, slope):
    stride, labels = _check(x, gamma, beta, labels)
    y = launching.empty_like(x)
    vec = launching.vec_of(x, x.shape[3], y, gamma, beta, mean, deviation)
    grid, block, parts, per_block = _pixel_blocks(x, vec)
    args = (x, y, gamma, beta, labels, mean, deviation, stride, parts, *_pixels_and_channels(x), per_block,
            np.int32(is_variance), np.float32(eps), np.float32(slope))
    _launch('normalize', grid, block, args, x.dtype, vec)
    return y


def _gradient(x, gy, gamma, beta, labels, mean, inv_std, slope):
    stride, labels = _check(x, gamma, beta, labels)
    launching.contiguous(gy)
    b, channels = len(x), x.shape[3]
    gx, ggamma, gbeta = launching.empty_like(x), launching.empty(gamma.shape), launching.empty(gamma.shape)
    means = launching.empty((2, channels))
    vec = launching.vec_of(x, channels, gy, gx, gamma, beta, mean, inv_std)
    shape = _pixels_and_channels(x)
    common = gamma, beta, labels, mean, inv_std

    grid, block, parts, per_block = _pixel_blocks(x, vec, launching.MOST_BLOCKS)
    partial = launching.empty((grid[0], 2, channels))
    args = (x, gy, *common, partial, launching.counters(grid[1]), means, ggamma, gbeta, stride, parts, np.int32(b),
            *shape, per_block, np.float32(slope))
    _launch('gradient_sums', grid, block, args, x.dtype, vec)
    if labels is not launching.NULL:
        table_grid = len(gamma), launching.ceil_div(channels, launching.THREADS)
        args = partial, labels, ggamma, gbeta, parts, np.int32(b), shape[1]
        _launch('table_gradients', table_grid, (launching.THREADS,), args, x.dtype, vec)

    grid, block, parts, per_block = _pixel_blocks(x, vec)
    args = x, gy, gx, *common, means, stride, parts, *shape, per_block, np.float32(slope)
    _launch('gradient', grid, block, args, x.dtype, vec)
    return gx, ggamma, gbeta
