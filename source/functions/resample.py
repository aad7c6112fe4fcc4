"""Nearest-neighbour upsampling and average pooling, both by two."""
from source.kernels.switch import channels_first, channels_last, kernels

import chainer.functions as F
from chainer import FunctionNode


def upsample(x):
    """Variable (B, C, H, W) → (B, C, 2H, 2W), each pixel repeated 2×2."""
    h, w = x.shape[2:]
    kernel = kernels('resampling.repeat_2x2', x)
    if kernel is None:
        return F.unpooling_2d(x, 2, outsize=(2 * h, 2 * w))
    return _Repeat(kernel, 1., (2 * h, 2 * w)).apply((x,))[0]


def downsample(x):
    """Variable (B, C, H, W) → (B, C, H // 2, W // 2), the mean of each 2×2; an odd last row or column is left out."""
    kernel = kernels('resampling.sum_2x2', x)
    return F.average_pooling_2d(x, 2) if kernel is None else _Sum(kernel, .25).apply((x,))[0]


class _Sum(FunctionNode):
    """factor · the sum of each 2×2; with `_Repeat` its own transpose's transpose, so both differentiate endlessly."""

    def __init__(self, kernel, factor):
        self.kernel, self.factor = kernel, factor

    def forward(self, inputs):
        x = channels_last(inputs[0])
        self.in_shape = x.shape[1:3]
        return channels_first(self.kernel.sum_2x2(x, self.factor)),

    def backward(self, indexes, grad_outputs):
        return _Repeat(self.kernel, self.factor, self.in_shape).apply(grad_outputs)


class _Repeat(FunctionNode):
    """factor · each pixel repeated 2×2, in an array of height and width `out_shape`."""

    def __init__(self, kernel, factor, out_shape):
        self.kernel, self.factor, self.out_shape = kernel, factor, out_shape

    def forward(self, inputs):
        return channels_first(self.kernel.repeat_2x2(channels_last(inputs[0]), self.factor, self.out_shape)),

    def backward(self, indexes, grad_outputs):
        return _Sum(self.kernel, self.factor).apply(grad_outputs)
