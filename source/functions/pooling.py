"""The discriminator's head: an activation, then the sum or the mean over all pixels."""
from source.functions.activation import Gate, activate, slope_of
from source.kernels.switch import channels_first, channels_last, kernels

import chainer.functions as F
from chainer import FunctionNode


def pool_pixels(pooling, activation, x):
    """pooling, F.sum or F.mean, of activation(x) over height and width: (B, C, H, W) → float32 (B, C)."""
    slope = slope_of(activation)
    kernel = kernels('pooling.sum_pixels', x) if slope is not None and pooling in (F.sum, F.mean) else None
    if kernel is None:
        return pooling(activate(activation, x), axis=(2, 3))
    factor = 1. if pooling is F.sum else 1. / (x.shape[2] * x.shape[3])
    return _SumPixels(kernel, slope, factor).apply((x,))[0]


class _SumPixels(FunctionNode):

    def __init__(self, kernel, slope, factor):
        self.kernel, self.slope, self.factor = kernel, slope, factor

    def forward(self, inputs):
        self.retain_inputs((0,))
        return self.kernel.sum_pixels(channels_last(inputs[0]), self.slope, self.factor),

    def backward(self, indexes, grad_outputs):
        x, = self.get_retained_inputs()
        return _SumPixelsGradient(self.kernel, x.array, self.slope, self.factor).apply(grad_outputs)


class _SumPixelsGradient(FunctionNode):
    """gx from gy; x is an array."""

    def __init__(self, kernel, x, slope, factor):
        self.kernel, self.x, self.slope, self.factor = kernel, x, slope, factor

    def forward(self, inputs):
        return channels_first(self.kernel.sum_pixels_gradient(inputs[0], channels_last(self.x), self.slope,
                                                              self.factor)),

    def backward(self, indexes, grad_outputs):
        q, = grad_outputs
        gated = Gate(kernels('elementwise.gate', q), self.x, self.slope).apply((q,))[0]
        return _SumPixels(self.kernel, 1., self.factor).apply((gated,))
