"""Activations, alone or joined with a convolution or batch normalization."""
from source.kernels.switch import channels_first, channels_last, kernels

import chainer
import chainer.functions as F
from chainer import FunctionNode


class LeakyReLU:
    """x where x > 0, else slope·x (Table 3: slope 0.1); a callable with its slope told."""

    def __init__(self, slope=.1):
        self.slope = slope

    def __call__(self, x):
        return F.leaky_relu(x, self.slope)


def slope_of(activation):
    """What an activation multiplies negative numbers by: 1 for None, 0 for ReLU; None if it is not of that kind."""
    if activation is None:
        return 1.
    if activation is F.relu:
        return 0.
    return getattr(activation, 'slope', None)


def activate(activation, x):
    """activation(x), or x for None; ReLU and LeakyReLU of images (B, C, H, W) on the kernels that serve."""
    slope = slope_of(activation)
    if activation is None:
        return x
    is_served = x.ndim == 4 and slope is not None and 0 <= slope <= 1 and kernels('elementwise.activate', x) is not None
    return rectify(slope, x) if is_served else activation(x)


def rectify(slope, x):
    """x where it is positive, else slope·x, of images (B, C, H, W) that the kernels serve; slope in [0, 1]."""
    return _Activation(kernels('elementwise.activate', x), slope).apply((x,))[0]


def tanh(x):
    """tanh(x) of images (B, C, H, W)."""
    kernel = kernels('elementwise.tanh', x) if x.ndim == 4 else None
    return F.tanh(x) if kernel is None else _Tanh(kernel).apply((x,))[0]


class _Activation(FunctionNode):
    """Keeps its output, which has the input's sign and is what a convolution after it keeps, too."""

    def __init__(self, kernel, slope):
        self.kernel, self.slope = kernel, slope

    def forward(self, inputs):
        self.retain_outputs((0,))
        return channels_first(self.kernel.activate(channels_last(inputs[0]), self.slope)),

    def backward(self, indexes, grad_outputs):
        y, = self.get_retained_outputs()
        return Gate(self.kernel, y.array, self.slope).apply(grad_outputs)


class Gate(FunctionNode):
    """gy where x, an array, is positive, else slope gy: linear, so its own gradient."""

    def __init__(self, kernel, x, slope):
        self.kernel, self.x, self.slope = kernel, x, slope

    def forward(self, inputs):
        return channels_first(self.kernel.gate(channels_last(inputs[0]), channels_last(self.x), self.slope)),

    def backward(self, indexes, grad_outputs):
        return Gate(self.kernel, self.x, self.slope).apply(grad_outputs)


class _Tanh(FunctionNode):

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, inputs):
        self.retain_outputs((0,))
        return channels_first(self.kernel.tanh(channels_last(inputs[0]))),

    def backward(self, indexes, grad_outputs):
        y, = self.get_retained_outputs()
        gy, = grad_outputs
        if chainer.config.enable_backprop:
            return gy * (1 - y * y),
        return _as_constant(channels_first(self.kernel.tanh_gradient(channels_last(gy.array), channels_last(y.array)))),


def _as_constant(array):
    return chainer.Variable(array, requires_grad=False)
