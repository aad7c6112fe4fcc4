"""Passes over arrays of any one shape, element by element."""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def add(a, b):
    """a + b."""
    return narrowed(widened(a) + widened(b), a.dtype)


def multiply(x, factor):
    """factor · x with a Python float, which a captured step keeps as it was."""
    return narrowed(widened(x) * factor, x.dtype)


def activate(x, slope):
    """x where x > 0, else slope · x: 0 is ReLU."""
    wide = widened(x)
    return narrowed(np.where(wide > 0, wide, slope * wide), x.dtype)


def gate(gy, x, slope):
    """The gradient of `activate`: gy where x > 0, else slope · gy."""
    g = widened(gy)
    return narrowed(np.where(widened(x) > 0, g, slope * g), gy.dtype)


def gate_and_add(gy, x, b, slope):
    """`gate`, and b added to it before it is rounded."""
    g = widened(gy)
    return narrowed(widened(b) + np.where(widened(x) > 0, g, slope * g), gy.dtype)


def tanh(x):
    return narrowed(np.tanh(widened(x)), x.dtype)


def tanh_gradient(gy, y):
    """gy · (1 − y²), y being what `tanh` returned."""
    y = widened(y)
    return narrowed(widened(gy) * (1 - y * y), gy.dtype)


def cast(x, dtype):
    """x as float32 or bfloat16, rounded to the nearest (ties to even); a new array even where the dtype is x's own."""
    return x.astype(dtype)
