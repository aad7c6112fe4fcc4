"""The two ends of a residual block: where its input goes two ways, and where the two results are added.

Chainer's `+` would do; on a CPU these run on all threads, for the gradients too, on a GPU in one launch.
"""
from source.kernels.switch import channels_first, channels_last, kernels

from chainer import FunctionNode


def branch(x):
    """x twice, Variables; their gradients are added as `join` adds."""
    return (x, x) if _kernel(x) is None else _Branch().apply((x,))


def join(a, b):
    """a + b, Variables of equal shape."""
    kernel = _kernel(a, b) if a.shape == b.shape else None
    return a + b if kernel is None else _Join(kernel).apply((a, b))[0]


def _kernel(*variables):
    return kernels('elementwise.add', *variables) if all(v.ndim == 4 for v in variables) else None


class _Branch(FunctionNode):

    def forward(self, inputs):
        x, = inputs
        return x, x

    def backward(self, indexes, grad_outputs):
        given = [g for g in grad_outputs if g is not None]
        return join(*given) if len(given) == 2 else given[0],


class _Join(FunctionNode):

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, inputs):
        return channels_first(self.kernel.add(*map(channels_last, inputs))),

    def backward(self, indexes, grad_outputs):
        g, = grad_outputs
        return g, g
