"""1×1 convolutions of channels-last float32 arrays: matrix products over all pixels.

x (N, H, W, C), w (O, C, 1, 1) and y (N, H, W, O); `slope` and `gate` as in `convolution.py`. Pixels are cut into parts
that do not depend on the number of threads, so that equal inputs give equal bits. Each part is one product by BLAS,
which runs on one thread (see this package), while the parts run on all.
"""
from source.kernels.cpu import memory
from source.kernels.cpu.channel_sum import channel_sum

import numba
import numpy as np

_PART = 512  # pixels
_MOST_SUMS = 16  # of the weight gradient, added up at the end

_Matrix, _Vector, _Cube = (numba.types.Array(numba.types.float32, n, 'C') for n in (2, 1, 3))


@numba.njit(numba.void(_Matrix, _Matrix, _Vector, numba.float32, _Matrix), parallel=True, cache=True)
def _forward(x, w, bias, slope, y):
    for part in numba.prange((len(x) + _PART - 1) // _PART):
        rows, out = x[part * _PART:(part + 1) * _PART], y[part * _PART:(part + 1) * _PART]
        if slope != 1:
            rows = np.maximum(rows, slope * rows)
        np.dot(rows, w, out)
        for i in range(len(out)):
            for o in range(len(bias)):
                out[i, o] += bias[o]


@numba.njit(numba.void(_Matrix, _Matrix, numba.boolean, _Matrix, numba.float32, _Matrix), parallel=True, cache=True)
def _data_gradient(gy, w, gated, gate, slope, gx):
    for part in numba.prange((len(gy) + _PART - 1) // _PART):
        out = gx[part * _PART:(part + 1) * _PART]
        np.dot(gy[part * _PART:(part + 1) * _PART], w, out)
        if gated:
            here = gate[part * _PART:(part + 1) * _PART]
            for i in range(len(out)):
                for c in range(out.shape[1]):
                    out[i, c] *= np.float32(1) if here[i, c] > 0 else slope


@numba.njit(numba.void(_Matrix, _Matrix, numba.float32, _Cube), parallel=True, cache=True)
def _weight_gradient(x, gy, slope, sums):
    for part in numba.prange(len(sums)):
        start, stop = part * len(x) // len(sums), (part + 1) * len(x) // len(sums)
        rows = x[start:stop]
        if slope != 1:
            rows = np.maximum(rows, slope * rows)
        np.dot(gy[start:stop].T, rows, sums[part])


def _matrix(x):
    return x.reshape(-1, x.shape[3])


def convolution_1x1(x, w, bias=None, slope=1):
    y = memory.empty((*x.shape[:3], len(w)))
    bias = np.empty(0, np.float32) if bias is None else np.ascontiguousarray(bias)
    _forward(_matrix(x), np.ascontiguousarray(w[:, :, 0, 0].T), bias, slope, _matrix(y))
    return y


def convolution_1x1_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    gx = memory.empty((*gy.shape[:3], w.shape[1]))
    gated = gate is not None
    _data_gradient(_matrix(gy), np.ascontiguousarray(w[:, :, 0, 0]), gated, _matrix(gate if gated else gx), slope,
                   _matrix(gx))
    return gx


def convolution_1x1_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    x = _matrix(x)
    sums = np.empty((max(1, min(_MOST_SUMS, len(x) // _PART)), gy.shape[3], x.shape[1]), np.float32)
    _weight_gradient(x, _matrix(gy), slope, sums)
    return sums.sum(axis=0)[:, :, None, None], channel_sum(gy)
