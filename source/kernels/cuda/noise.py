"""Philox4x32-10 and dequantization, one launch each; the twin, `source.kernels.reference.noise`, has the same bits.

A state is a CuPy array uint64 (2,), as `cupy.array(new_state(seed))` makes it.
"""
from source.kernels.cuda import launching
from source.kernels.reference.noise import new_state  # noqa: F401  (an array of the host, the same for both sets)

import numpy as np


def uniform(state, n):
    y = launching.empty((n,))
    if n:
        _launch('uniform', (_checked(state), launching.counters(1), y, np.int64(n)), n, np.float32)
    return y


def dequantize(ims, state, dtype=np.float32, channels_last=False):
    launching.contiguous(ims)
    if ims.dtype != np.uint8 or ims.ndim != 4:
        raise ValueError(f'images must be uint8 with four axes, got {ims.dtype} {ims.shape}')
    b, h, w, channels = ims.shape if channels_last else (ims.shape[0], *ims.shape[2:], ims.shape[1])
    y = launching.empty((b, h, w, channels), dtype)
    if y.size:
        args = (ims, _checked(state), launching.counters(1), y, np.int64(y.size), np.int32(h * w), np.int32(channels),
                np.int32(channels_last))
        _launch('dequantize', args, y.size, dtype)
    return y


def _checked(state):
    if state.dtype != np.uint64 or state.shape != (2,):
        raise ValueError(f'a state of noise is uint64 (2,), got {state.dtype} {state.shape}')
    return state


def _launch(kernel, args, n, dtype):
    grid = launching.ceil_div(n, 4 * launching.THREADS),
    launching.launch('noise', kernel, grid, (launching.THREADS,), args, dtype)
