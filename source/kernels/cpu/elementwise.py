"""Passes over whole float32 arrays, flat and contiguous, on all threads."""
from source.kernels.cpu.options import OPTIONS

import numba

_Vector = numba.types.Array(numba.types.float32, 1, 'C')


@numba.njit(numba.void(_Vector, _Vector, _Vector), **OPTIONS)
def add(a, b, y):
    """y = a + b."""
    for i in numba.prange(len(y)):
        y[i] = a[i] + b[i]


@numba.njit(numba.void(_Vector, numba.float32, _Vector), **OPTIONS)
def activate(x, slope, y):
    """y = max(x, slope x): slope 0 is ReLU, a small one the leaky ReLU."""
    for i in numba.prange(len(y)):
        y[i] = max(x[i], slope * x[i])


@numba.njit(numba.void(_Vector, _Vector, numba.float32, _Vector), **OPTIONS)
def gate(gy, x, slope, gx):
    """gx = gy where x is positive, else slope gy."""
    for i in numba.prange(len(gx)):
        gx[i] = gy[i] if x[i] > 0 else slope * gy[i]
