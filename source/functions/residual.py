"""The two ends of a residual block: where its input goes two ways, and where the two results are added.

Chainer's `+` would do; on a CPU these run on all threads, for the gradients too.
"""
from source.kernels.switch import channels_first, channels_last, cpu_kernels_serve

import numpy as np
from chainer import FunctionNode


def branch(x):
    """x twice, Variables; their gradients are added as `join` adds."""
    return _Branch().apply((x,)) if _served(x) else (x, x)


def join(a, b):
    """a + b, Variables of equal shape."""
    return _Join().apply((a, b))[0] if a.shape == b.shape and _served(a, b) else a + b


def _served(*variables):
    return all(v.ndim == 4 for v in variables) and cpu_kernels_serve(*variables)


class _Branch(FunctionNode):

    def forward(self, inputs):
        x, = inputs
        return x, x

    def backward(self, indexes, grad_outputs):
        given = [g for g in grad_outputs if g is not None]
        return join(*given) if len(given) == 2 else given[0],


class _Join(FunctionNode):

    def forward(self, inputs):
        from source.kernels.cpu import elementwise
        a, b = map(channels_last, inputs)
        y = np.empty_like(a)
        elementwise.add(a.reshape(-1), b.reshape(-1), y.reshape(-1))
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        g, = grad_outputs
        return g, g
