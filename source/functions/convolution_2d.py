"""2-D convolutions as the networks use them: with the activation before them, and joined with resampling by two.

Convolutions of the sizes that occur run on the kernels of `source.kernels`; their results have the usual shape
(B, C, H, W) on channels-last memory. Everything else is a plain composition of Chainer's functions, which is also what
the kernels are tested against.
"""
from source.functions.activation import activate, slope_of
from source.functions.convolution_kernels import convolve, kernel_for
from source.functions.resample import downsample, upsample

import chainer.functions as F


def convolution_2d(x, W, b=None, stride=1, pad=0, activation=None, next_activation=None):
    """Convolution of activation(x): x (B, C, H, W), W (O, C, kh, kw), b (O,).

    next_activation: through which alone the result will be read. ReLU may be applied here already.
    """
    kernel = kernel_for('convolution', x, W, b, stride, pad, activation)
    if kernel is not None:
        return convolve(kernel, slope_of(activation), x, W, b, slope_of(next_activation))
    return F.convolution_2d(activate(activation, x), W, b, stride, pad)


def deconvolution_2d(x, W, b=None, stride=1, pad=0, outsize=None, activation=None):
    """Transposed convolution of activation(x): x (B, C, H, W), W (C, O, kh, kw), b (O,)."""
    kernel = kernel_for('deconvolution', x, W, b, stride, pad, activation) if outsize in (None, (None, None)) else None
    if kernel is not None:
        return convolve(kernel, slope_of(activation), x, W, b)
    return F.deconvolution_2d(activate(activation, x), W, b, stride, pad, outsize)


def upsample_convolution_2d(x, W, b=None, pad=0, activation=None):
    """Activation, nearest-neighbour upsampling by two, then a convolution of stride 1."""
    if _is_1x1(W, pad):
        return upsample(convolution_2d(x, W, b, activation=activation))  # the same sums over a quarter of the pixels
    kernel = kernel_for('upsample_convolution', x, W, b, 1, pad, activation)
    if kernel is not None:
        return convolve(kernel, slope_of(activation), x, W, b)
    return convolution_2d(upsample(activate(activation, x)), W, b, 1, pad)


def convolution_2d_downsample(x, W, b=None, pad=0, activation=None):
    """Activation, a convolution of stride 1, then average pooling by two."""
    if _is_1x1(W, pad):
        return convolution_2d(downsample(activate(activation, x)), W, b)  # linear both; pooling leaves a quarter
    kernel = kernel_for('convolution_downsample', x, W, b, 1, pad, activation)
    if kernel is not None:
        return convolve(kernel, slope_of(activation), x, W, b)
    return downsample(convolution_2d(x, W, b, 1, pad, activation))


def _is_1x1(W, pad):
    return W.shape[2:] == (1, 1) and pad in (0, (0, 0))
