"""Passes over arrays of any one shape; see `source.kernels.reference.elementwise`."""
from source.kernels.cuda import launching

import numpy as np


def _run(kernel, inputs, y, scalars=(), dtype=None):
    launching.contiguous(*inputs)
    if any(a.shape != y.shape for a in inputs):
        raise ValueError(f'{kernel}: arrays of one shape are needed, got {[a.shape for a in inputs]}')
    if y.size == 0:
        return y
    dtype = y.dtype if dtype is None else dtype
    pack = 16 // np.dtype(dtype).itemsize
    aligned = all(launching.address(a) % 16 == 0 for a in (*inputs, y))
    vec = pack if aligned else 1
    grid = launching.ceil_div(y.size, vec * launching.THREADS),
    launching.launch('elementwise', kernel, grid, (launching.THREADS,), (*inputs, y, *scalars, np.int64(y.size)), dtype,
                     vec)
    return y


def _same_dtype(a, b):
    if a.dtype != b.dtype:
        raise TypeError(f'arrays of one dtype are needed, got {a.dtype} and {b.dtype}')


def add(a, b):
    _same_dtype(a, b)
    return _run('add', (a, b), launching.empty_like(a))


def multiply(x, factor):
    return _run('multiply', (x,), launching.empty_like(x), (np.float32(factor),))


def activate(x, slope):
    return _run('activate', (x,), launching.empty_like(x), (np.float32(slope),))


def gate(gy, x, slope):
    _same_dtype(gy, x)
    return _run('gate', (gy, x), launching.empty_like(gy), (np.float32(slope),))


def gate_and_add(gy, x, b, slope):
    _same_dtype(gy, x)
    _same_dtype(gy, b)
    return _run('gate_and_add', (gy, x, b), launching.empty_like(gy), (np.float32(slope),))


def tanh(x):
    return _run('hyperbolic_tangent', (x,), launching.empty_like(x))


def tanh_gradient(gy, y):
    _same_dtype(gy, y)
    return _run('tanh_gradient', (gy, y), launching.empty_like(gy))


def cast(x, dtype):
    dtype = np.dtype(dtype)
    if x.dtype == dtype:
        return x.copy()
    y = launching.empty(x.shape, dtype)
    if dtype == np.float32:
        return _run('cast_to_float', (x,), y, dtype=x.dtype)
    if x.dtype != np.float32:
        raise TypeError(f'no kernel casts {x.dtype} to {dtype}')
    return _run('cast_from_float', (x,), y)
