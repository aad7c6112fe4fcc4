"""Dense layers by kernels of our own, as CuPy's cuBLAS cannot be captured; see `source.kernels.reference.linear`.

They are float32 throughout, without TF32: a network has two of them, of some thousandth of its arithmetic.
"""
from source.kernels.cuda import launching

import numpy as np

_TILE = 64
_FEW_OUTPUTS = 8


def linear(x, w, bias=None, dtype=None):
    _check(x, w)
    y = launching.empty((len(x), len(w)), dtype or x.dtype)
    depth = w.shape[1]
    no_bias = launching.NULL if bias is None else bias
    if len(w) <= _FEW_OUTPUTS:
        _run(f'dots_{_letters(x, y)}', (launching.ceil_div(y.size, 8),), (32, 8),
             (x, w, no_bias, y, *_ints(*y.shape, depth)), x, y)
    else:
        _product(x, w, no_bias, y, depth, (depth, 1), (1, depth))
    return y


def linear_data_gradient(gy, w, dtype=None):
    _check(gy, w, axis=0)
    gx = launching.empty((len(gy), w.shape[1]), dtype or gy.dtype)
    _product(gy, w, launching.NULL, gx, len(w), (len(w), 1), (w.shape[1], 1))
    return gx


def linear_weight_gradient(x, gy):
    launching.contiguous(x, gy)
    n_in, n_out = x.shape[1], gy.shape[1]
    gw, gb = launching.empty((n_out, n_in)), launching.empty((n_out,))
    _product(gy, x, launching.NULL, gw, len(x), (1, n_out), (n_in, 1))
    launching.launch('linear', 'sum_rows', (launching.ceil_div(n_out, 128),), (128,),
                     (gy, gb, *_ints(len(gy), n_out)), gy.dtype)
    return gw, gb


def _product(a, b, bias, c, depth, a_strides, b_strides):
    m, n = c.shape
    grid = launching.ceil_div(n, _TILE), launching.ceil_div(m, _TILE)
    strides = [np.int64(stride) for stride in (*a_strides, *b_strides)]
    _run(f'product_{_letters(a, b, c)}', grid, (16, 16), (a, b, bias, c, *_ints(m, n, depth), *strides), a, b, c)


def _run(kernel, grid, block, args, *arrays):
    dtypes = [array.dtype for array in arrays if array.dtype != np.float32]
    launching.launch('linear', kernel, grid, block, args, dtypes[0] if dtypes else np.dtype(np.float32))


def _letters(*arrays):
    return ''.join('f' if array.dtype == np.float32 else 't' for array in arrays)


def _ints(*values):
    return [np.int32(value) for value in values]


def _check(x, w, axis=1):
    launching.contiguous(x, w)
    if x.shape[1] != w.shape[axis]:
        raise ValueError(f'a dense layer of weight {w.shape} cannot take an array {x.shape}')
