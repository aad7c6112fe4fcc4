"""Resizing and pooling of networks in inference; see `source.kernels.reference.inference`."""
from source.kernels.cuda import launching

import numpy as np

_BLOCK = 256


def resize(ims, rows, columns, shift, factor, channels):
    launching.contiguous(ims)
    n, planes, height, width = ims.shape
    y = launching.empty((n, len(rows[0]), len(columns[0]), channels))
    n_pixels = y.size // channels
    args = (ims, *rows, *columns, y, np.float32(shift), np.float32(factor),
            *_ints(planes, height, width, *y.shape[1:]), np.int64(n_pixels))
    launching.launch('inference', 'resize', (launching.ceil_div(n_pixels, _BLOCK),), (_BLOCK,), args)
    return y


def max_3x3(x, stride, pad, y, first_channel):
    _pool('max_3x3', x, y, first_channel, stride, pad)


def average_3x3(x, counts_padding, y, first_channel):
    _pool('average_3x3', x, y, first_channel, counts_padding)


def _pool(kernel, x, y, first_channel, *options):
    launching.contiguous(x, y)
    vec = launching.vec_of(x, x.shape[3], y)
    if y.shape[3] % vec or first_channel % vec:
        vec = 1
    n = y.shape[0] * y.shape[1] * y.shape[2] * x.shape[3]
    args = x, y, *_ints(*x.shape[1:], *y.shape[1:3], *options, y.shape[3], first_channel), np.int64(n)
    launching.launch('inference', kernel, (launching.ceil_div(n, vec * _BLOCK),), (_BLOCK,), args, x.dtype, vec)


def _ints(*values):
    return [np.int32(value) for value in values]
