"""Activations, alone or joined with a convolution or batch normalization."""
from source.kernels.switch import channels_first, channels_last, cpu_kernels_serve

import chainer.functions as F
import numpy as np
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
    """activation(x), or x for None; ReLU and LeakyReLU of images (B, C, H, W) on the CPU's kernels."""
    slope = slope_of(activation)
    if activation is None:
        return x
    if slope is None or not 0 <= slope <= 1 or x.ndim != 4 or not cpu_kernels_serve(x):
        return activation(x)
    return _Activation(slope).apply((x,))[0]


class _Activation(FunctionNode):

    def __init__(self, slope):
        self.slope = slope

    def forward(self, inputs):
        from source.kernels.cpu import elementwise
        x = channels_last(inputs[0])
        self.retain_inputs((0,))
        y = np.empty_like(x)
        elementwise.activate(x.reshape(-1), self.slope, y.reshape(-1))
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        x, = self.get_retained_inputs()
        return _Gate(x.array, self.slope).apply(grad_outputs)


class _Gate(FunctionNode):
    """gy where x is positive, else slope gy: linear, so its own gradient."""

    def __init__(self, x, slope):
        self.x, self.slope = x, slope

    def forward(self, inputs):
        from source.kernels.cpu import elementwise
        gy = channels_last(inputs[0])
        gx = np.empty_like(gy)
        elementwise.gate(gy.reshape(-1), channels_last(self.x).reshape(-1), self.slope, gx.reshape(-1))
        return channels_first(gx),

    def backward(self, indexes, grad_outputs):
        return _Gate(self.x, self.slope).apply(grad_outputs)
