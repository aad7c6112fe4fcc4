"""Passes over whole float32 arrays on all threads. They take C-contiguous arrays and return new ones."""
from source.kernels.cpu.options import EXACT

import numba
import numpy as np

_Vector = numba.types.Array(numba.types.float32, 1, 'C')


@numba.njit(numba.void(_Vector, _Vector, _Vector), **EXACT)
def _add(a, b, y):
    for i in numba.prange(len(y)):
        y[i] = a[i] + b[i]


@numba.njit(numba.void(_Vector, numba.float32, _Vector), **EXACT)
def _activate(x, slope, y):
    for i in numba.prange(len(y)):
        y[i] = max(x[i], slope * x[i])


@numba.njit(numba.void(_Vector, _Vector, numba.float32, _Vector), **EXACT)
def _gate(gy, x, slope, gx):
    for i in numba.prange(len(gx)):
        gx[i] = gy[i] if x[i] > 0 else slope * gy[i]


def add(a, b):
    """a + b."""
    y = np.empty_like(a)
    _add(a.reshape(-1), b.reshape(-1), y.reshape(-1))
    return y


def activate(x, slope):
    """max(x, slope x): slope 0 is ReLU, a small one the leaky ReLU."""
    y = np.empty_like(x)
    _activate(x.reshape(-1), slope, y.reshape(-1))
    return y


def gate(gy, x, slope):
    """gy where x is positive, else slope gy."""
    gx = np.empty_like(gy)
    _gate(gy.reshape(-1), x.reshape(-1), slope, gx.reshape(-1))
    return gx
