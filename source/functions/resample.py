"""Nearest-neighbour upsampling and average pooling, both by two."""
from source.kernels.switch import channels_first, channels_last, cpu_kernels_serve

import chainer.functions as F
import numpy as np
from chainer import FunctionNode


def upsample(x):
    """Variable (B, C, H, W) → (B, C, 2H, 2W), each pixel repeated 2×2."""
    h, w = x.shape[2:]
    if cpu_kernels_serve(x):
        return _Repeat(1., (2 * h, 2 * w)).apply((x,))[0]
    return F.unpooling_2d(x, 2, outsize=(2 * h, 2 * w))


def downsample(x):
    """Variable (B, C, H, W) → (B, C, H // 2, W // 2), the mean of each 2×2; an odd last row or column is left out."""
    if cpu_kernels_serve(x):
        return _Sum(.25).apply((x,))[0]
    return F.average_pooling_2d(x, 2)


class _Sum(FunctionNode):
    """factor · the sum of each 2×2; with `_Repeat` its own transpose's transpose, so both differentiate endlessly."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, inputs):
        from source.kernels.cpu.resampling import sum_2x2
        x = channels_last(inputs[0])
        self.in_shape = x.shape[1:3]
        y = np.empty((len(x), x.shape[1] // 2, x.shape[2] // 2, x.shape[3]), np.float32)
        sum_2x2(x, np.float32(self.factor), y)
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        return _Repeat(self.factor, self.in_shape).apply(grad_outputs)


class _Repeat(FunctionNode):
    """factor · each pixel repeated 2×2, in an array of height and width `out_shape`."""

    def __init__(self, factor, out_shape):
        self.factor, self.out_shape = factor, out_shape

    def forward(self, inputs):
        from source.kernels.cpu.resampling import repeat_2x2
        x = channels_last(inputs[0])
        y = np.empty((len(x), *self.out_shape, x.shape[3]), np.float32)
        repeat_2x2(x, np.float32(self.factor), y)
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        return _Sum(self.factor).apply(grad_outputs)
