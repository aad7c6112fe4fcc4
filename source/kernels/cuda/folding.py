"""Weights into cuDNN's layout and back, folded on the way; see `source.kernels.reference.folding`."""
from source.kernels.cuda import launching

import numpy as np

_BLOCK = 128


def pack_weight(w, taps, swap, dtype, channels):
    launching.contiguous(w)
    if w.dtype != np.float32:
        raise TypeError(f'weights are packed from float32, not {w.dtype}')
    n_out, n_in = _channels(w.shape, swap)
    k = w.shape[2] if taps is None else 4
    packed = launching.empty((channels[0], k, k, channels[1]), dtype)
    args = w, packed, *_ints(n_out, n_in, *channels, swap, _kind(w.shape, taps))
    launching.launch('folding', 'pack_weight', _grid(channels[1], channels[0]), (_BLOCK,), args, dtype)
    return packed


def unpack_weight_gradient(g, taps, swap, shape):
    n_out, n_in = _channels(shape, swap)
    gw = launching.empty(shape)
    args = g, gw, *_ints(n_out, n_in, g.shape[3], swap, _kind(shape, taps))
    launching.launch('folding', 'unpack_weight_gradient', _grid(n_in, n_out), (_BLOCK,), args, g.dtype)
    return gw


def with_channels(x, channels):
    launching.contiguous(x)
    y = launching.empty((*x.shape[:-1], channels), x.dtype)
    args = x, y, *_ints(x.shape[-1], channels), np.int64(y.size)
    launching.launch('folding', 'with_channels', (launching.ceil_div(y.size, _BLOCK),), (_BLOCK,), args, x.dtype)
    return y


def pack_bias(bias, dtype, channels):
    packed = launching.empty((channels,), dtype)
    args = bias, packed, *_ints(bias.size, channels)
    launching.launch('folding', 'pack_bias', (launching.ceil_div(channels, _BLOCK),), (_BLOCK,), args, dtype)
    return packed


def add_bias(y, bias):
    vec = launching.vec_of(y, y.shape[-1], bias)
    args = y, bias, np.int32(y.shape[-1]), np.int64(y.size)
    grid = launching.ceil_div(y.size, vec * _BLOCK),
    launching.launch('folding', 'add_bias', grid, (_BLOCK,), args, y.dtype, vec)


def _kind(shape, taps):
    return {'pooled': 5, 'upsampled': 6}[taps] if taps else shape[2]  # Kind in the source


def _channels(shape, swap):
    return (shape[1], shape[0]) if swap else shape[:2]


def _grid(across, down):
    return launching.ceil_div(across, _BLOCK), down


def _ints(*values):
    return [np.int32(value) for value in values]
