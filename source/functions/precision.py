"""Where activations change their type: bfloat16 between the layers of a GPU's networks, float32 everywhere else.

Images, features, losses, parameters and statistics are float32 always. So a network casts what it is given, and its
images or pooled features are float32 again.
"""
from source.kernels.switch import channels_first, channels_last, kernels

import chainer
import numpy as np
from chainer import FunctionNode


def bfloat16():
    """NumPy's type of that name, which the package ml_dtypes brings. Raises ValueError where that is missing."""
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        raise ValueError('precision bfloat16 needs the package ml_dtypes: pip install ml_dtypes') from None
    return np.dtype(bfloat16)


def as_activations(x):
    """Variable or array x in the type that `chainer.config.precision` gives activations on the GPU's road."""
    kernel = kernels('elementwise.cast', x) if chainer.config.precision == 'bfloat16' else None
    return x if kernel is None else _cast(kernel, x, bfloat16())


def as_float32(x):
    """Variable or array x in float32, where it is bfloat16."""
    return _cast(kernels('elementwise.cast', x), x, np.dtype(np.float32)) if x.dtype.name == 'bfloat16' else x


def _cast(kernel, x, dtype):
    return x if x.dtype == dtype else _Cast(kernel, dtype).apply((x,))[0]


class _Cast(FunctionNode):

    def __init__(self, kernel, dtype):
        self.kernel, self.dtype = kernel, dtype

    def forward(self, inputs):
        x, = inputs
        self.in_dtype = x.dtype
        if x.ndim != 4:
            return self.kernel.cast(x, self.dtype),
        return channels_first(self.kernel.cast(channels_last(x), self.dtype)),

    def backward(self, indexes, grad_outputs):
        return _Cast(self.kernel, self.in_dtype).apply(grad_outputs)
