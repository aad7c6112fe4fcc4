"""Weights into cuDNN's layout and back, folded on the way; see `source.kernels.reference.folding`."""
import itertools

from source.kernels.cuda import launching
from source.kernels.cuda.jobs import Table

import numpy as np

_BLOCK = 128
_OUTPUTS, _INPUTS = 8, 32  # channels whose pairs a block takes, as in folding.cu
_TABLE = Table(('w', np.uint64), ('packed', np.uint64), ('n_out', np.int32), ('n_in', np.int32), ('outputs', np.int32),
               ('inputs', np.int32), ('swap', np.int32), ('kind', np.int32), ('first_block', np.int32))


def pack_weights(ws, taps, swaps, channels, dtype):
    packed, jobs = [], []
    for w, tap, swap, (outputs, inputs) in zip(ws, taps, swaps, channels, strict=True):
        launching.contiguous(w)
        if w.dtype != np.float32:
            raise TypeError(f'weights are packed from float32, not {w.dtype}')
        k = w.shape[2] if tap is None else 4
        packed.append(launching.empty((outputs, k, k, inputs), dtype))
        jobs.append((launching.address(w), launching.address(packed[-1]), *_channels(w.shape, swap), outputs, inputs,
                     swap, _kind(w.shape, tap)))
    for chunk in _TABLE.chunks(jobs):
        first_blocks = [0, *itertools.accumulate(_n_blocks(outputs, inputs) for *_, outputs, inputs, _, _ in chunk)]
        table = _TABLE.filled([(*job, first) for job, first in zip(chunk, first_blocks)])
        _launch('pack_weights', (first_blocks[-1],), (table,), dtype, block=(launching.THREADS,))
    return packed


def unpack_gradients(g, taps, swap, shape, gy):
    launching.contiguous(g, gy)
    n_out, n_in = _channels(shape, swap)
    channels = gy.shape[-1]
    rows, vec = gy.size // channels, launching.vec_of(gy, channels)
    (parts, tiles), block, per_part = launching.rows_split(rows, channels, vec)
    gw, gb, partial = launching.empty(shape), launching.empty((channels,)), launching.empty((parts, channels))
    unpacking = launching.ceil_div(_n_blocks(n_out, n_in), parts)
    args = (g, gw, *_ints(n_out, n_in, g.shape[3], swap, _kind(shape, taps)), gy, partial, launching.counters(tiles),
            gb, *_ints(rows, channels, per_part, tiles))
    _launch('unpack_gradients', (parts, tiles + unpacking), args, g.dtype, vec, block)
    return gw, gb


def _n_blocks(outputs, inputs):
    return launching.ceil_div(outputs, _OUTPUTS) * launching.ceil_div(inputs, _INPUTS)


def with_channels(x, channels):
    launching.contiguous(x)
    y = launching.empty((*x.shape[:-1], channels), x.dtype)
    args = x, y, *_ints(x.shape[-1], channels), np.int64(y.size)
    _launch('with_channels', (launching.ceil_div(y.size, _BLOCK),), args, x.dtype)
    return y


def pack_bias(bias, dtype, channels):
    packed, = pack_weights([as_weight(bias)], [None], [False], [(1, channels)], dtype)
    return packed.reshape(-1)


def as_weight(bias):
    """A bias (O,) as a weight that is packed to (1, 1, 1, O)."""
    return bias.reshape(1, -1, 1, 1)


def add_bias(y, bias):
    vec = launching.vec_of(y, y.shape[-1], bias)
    args = y, bias, np.int32(y.shape[-1]), np.int64(y.size)
    _launch('add_bias', (launching.ceil_div(y.size, vec * _BLOCK),), args, y.dtype, vec)


def _kind(shape, taps):
    return {'pooled': 5, 'upsampled': 6}[taps] if taps else shape[2]  # Kind in the source


def _channels(shape, swap):
    return (shape[1], shape[0]) if swap else shape[:2]


def _ints(*values):
    return [np.int32(value) for value in values]


def _launch(kernel, grid, args, dtype, vec=1, block=(_BLOCK,)):
    launching.launch('folding', kernel, grid, block, args, dtype, vec, _TABLE.capacity)
