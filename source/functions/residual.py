"""The two ends of a residual block: where its input goes two ways, and where the two results are added.

Chainer's `+` would do; on a CPU these run on all threads, for the gradients too, on a GPU in one launch.
"""
from source.functions.activation import Gate, slope_of
from source.kernels.switch import channels_first, channels_last, kernels, takes_gpu_road

from chainer import FunctionNode


def branch(x, activation=None):
    """x twice, Variables; their gradients are added as `join` adds.

    activation: through which alone the first will be read. ReLU may be applied to it here already.
    """
    if slope_of(activation) == 0 and x.ndim == 4 and takes_gpu_road(x):
        return RectifiedBranch(kernels('elementwise.gate_and_add', x)).apply((x,))
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


class RectifiedBranch(FunctionNode):
    """ReLU of x, and x: on the way back one gradient is gated and the other added in the same pass."""

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, inputs):
        x, = inputs
        self.retain_outputs((0,))
        return channels_first(self.kernel.activate(channels_last(x), 0.)), x

    def backward(self, indexes, grad_outputs):
        y, = self.get_retained_outputs()
        g, g_of_x = grad_outputs
        if g is None:
            return g_of_x,
        if g_of_x is None:
            return Gate(self.kernel, y.array, 0.).apply((g,))
        return _GateAndAdd(self.kernel, y.array).apply((g, g_of_x))


class _GateAndAdd(FunctionNode):

    def __init__(self, kernel, y):
        self.kernel, self.y = kernel, y

    def forward(self, inputs):
        arrays = map(channels_last, (inputs[0], self.y, inputs[1]))
        return channels_first(self.kernel.gate_and_add(*arrays, 0.)),

    def backward(self, indexes, grad_outputs):
        return Gate(self.kernel, self.y, 0.).apply(grad_outputs)[0], grad_outputs[0]


class _Join(FunctionNode):

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, inputs):
        return channels_first(self.kernel.add(*map(channels_last, inputs))),

    def backward(self, indexes, grad_outputs):
        g, = grad_outputs
        return g, g
