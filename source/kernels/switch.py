"""Whether the CPU kernels are used: `chainer.config.cpu_kernels`, at first the environment variable SNGAN_KERNELS.

`SNGAN_KERNELS=0`, a config's `cpu_kernels: false` or `chainer.using_config('cpu_kernels', False)` turn them off; then
Chainer's own functions compute everything.
"""
import importlib
import os

import chainer
import numpy as np

ALLOWED = os.environ.get('SNGAN_KERNELS', '1') != '0'
chainer.global_config.cpu_kernels = ALLOWED


def use_cpu_kernels(wanted):
    """Turns the kernels on, where the environment allows them, or off, for all that follows in this process.

    They limit BLAS to one thread when they load. Its bits depend on that number, so it is settled here, before the
    first product, rather than by the first convolution: a resumed run must not begin otherwise than it went on.
    """
    chainer.global_config.cpu_kernels = wanted and ALLOWED
    if chainer.global_config.cpu_kernels:
        importlib.import_module('source.kernels.cpu')


def cpu_kernels_serve(*arrays):
    """Whether they are on and all arrays (or Variables, or None) are float32 in NumPy."""
    if not chainer.config.cpu_kernels:
        return False
    arrays = [a.array if isinstance(a, chainer.Variable) else a for a in arrays if a is not None]
    return all(isinstance(a, np.ndarray) and a.dtype == np.float32 for a in arrays)


def channels_last(x):
    """(B, C, H, W) → a C-contiguous (B, H, W, C), the same memory if it is so ordered already."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def channels_first(x):
    """(B, H, W, C) → (B, C, H, W), a view."""
    return x.transpose(0, 3, 1, 2)
