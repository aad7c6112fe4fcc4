"""(Leaky) ReLU and the sum over all pixels; see `source.kernels.reference.pooling`."""
from source.kernels.cuda import launching

import numpy as np


def sum_pixels(x, slope, factor=1.):
    launching.contiguous(x)
    b, h, w, channels = x.shape
    y = launching.empty((b, channels))
    vec = launching.vec_of(x, channels, y)
    block = launching.channels_block(channels, vec)
    grid = b, launching.ceil_div(channels, block[0] * vec)
    args = x, y, np.float32(slope), np.float32(factor), np.int32(h * w), np.int32(channels)
    launching.launch('pooling', 'sum_pixels', grid, block, args, x.dtype, vec)
    return y


def sum_pixels_gradient(gy, x, slope, factor=1.):
    launching.contiguous(gy, x)
    b, h, w, channels = x.shape
    gx = launching.empty_like(x)
    vec = launching.vec_of(x, channels, gx, gy)
    grid = b, launching.ceil_div(h * w * channels, vec * launching.THREADS)
    args = gy, x, gx, np.float32(slope), np.float32(factor), np.int32(h * w), np.int32(channels)
    launching.launch('pooling', 'sum_pixels_gradient', grid, (launching.THREADS,), args, x.dtype, vec)
    return gx
