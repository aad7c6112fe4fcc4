"""Sums over and repetitions into 2×2 pixels; see `source.kernels.reference.resampling`."""
from source.kernels.cuda import launching

import numpy as np


def sum_2x2(x, factor):
    b, h, w, channels = x.shape
    y = launching.empty((b, h // 2, w // 2, channels), x.dtype)
    return _run('sum_2x2', x, y, factor, h, w)


def repeat_2x2(x, factor, out_shape):
    if (out_shape[0] // 2, out_shape[1] // 2) != x.shape[1:3]:
        raise ValueError(f'{x.shape[1:3]} pixels repeated 2x2 do not fill {tuple(out_shape)}')
    y = launching.empty((len(x), *out_shape, x.shape[3]), x.dtype)
    return _run('repeat_2x2', x, y, factor, *out_shape)


def _run(kernel, x, y, factor, height, width):
    launching.contiguous(x)
    if y.size == 0:
        return y
    b, rows, columns, channels = y.shape
    vec = launching.vec_of(x, channels, y)
    packs = columns * channels // vec
    threads = min(launching.THREADS, launching.ceil_div(packs, 32) * 32)
    grid = b * rows, launching.ceil_div(packs, threads)
    args = x, y, np.float32(factor), np.int32(height), np.int32(width), np.int32(channels)
    launching.launch('resampling', kernel, grid, (threads,), args, x.dtype, vec)
    return y
