"""The GPU's convolutions in plain NumPy: what `source.kernels.cuda.convolution` is compared with.

x (B, H, W, C) and y (B, H', W', O) are channels-last. Weights keep Chainer's layouts, (O, C, k, k) or, for the
deconvolution, (C, O, k, k). Every operation has three passes of the same arguments:

    forward(x, w, bias=None, slope=1, relu=False)                → y
    …_data_gradient(gy, w, in_shape=None, gate=None, slope=1)    → gx
    …_weight_gradient(x, gy, slope=1)                            → gw, gb

`slope` applies max(x, slope x) to the input: 1 leaves it alone, 0 is ReLU, 0.2 a leaky one. `relu` applies ReLU to
y; the gradients are told nothing of it. A data gradient given the
`gate` (that same x) is multiplied by `slope` where the gate is not positive. `in_shape` is (H, W) of x; it matters
where y does not tell it, at a stride of 2 from an odd size, and may be None elsewhere.

`prepared` makes, of a weight and a bias, what the forward pass and the data gradient take in their places: the same
numbers, in another layout, as they were then.

In bfloat16 weights and biases, float32 outside, are rounded here, and so is gw, which is returned as float32.

A convolution joined with resampling is a 4×4 one of stride 2 of a folded weight, as on the GPU: 2.25 times fewer
products (see `folding.py`).
"""
from source.kernels.reference.channel_sum import channel_sum
from source.kernels.reference.elementwise import activate, gate
from source.kernels.reference.folding import fold, unfold
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def prepared(requests, dtype):
    """[(w, bias)] for activations of a dtype, of requests [(operation's name, w, bias or None)]."""
    return [(w.copy(), None if bias is None else bias.copy()) for _, w, bias in requests]


def convolution_1x1(x, w, bias=None, slope=1, relu=False):
    return _forward(x, w, bias, slope, relu, 1, 0)


def convolution_1x1_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(gy, w, in_shape or gy.shape[1:3], gate, slope, 1, 0)


def convolution_1x1_weight_gradient(x, gy, slope=1):
    return _weight_gradient(x, gy, slope, 1, 1, 0)


def convolution_3x3(x, w, bias=None, slope=1, relu=False):
    """Stride 1, padding 1."""
    return _forward(x, w, bias, slope, relu, 1, 1)


def convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(gy, w, in_shape or gy.shape[1:3], gate, slope, 1, 1)


def convolution_3x3_weight_gradient(x, gy, slope=1):
    return _weight_gradient(x, gy, slope, 3, 1, 1)


def convolution_4x4_stride_2(x, w, bias=None, slope=1, relu=False):
    """Padding 1; (H, W) becomes (H // 2, W // 2)."""
    return _forward(x, w, bias, slope, relu, 2, 1)


def convolution_4x4_stride_2_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(gy, w, in_shape or _doubled(gy), gate, slope, 2, 1)


def convolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    return _weight_gradient(x, gy, slope, 4, 2, 1)


def deconvolution_4x4_stride_2(x, w, bias=None, slope=1, relu=False):
    """Padding 1; (H, W) becomes (2 H, 2 W)."""
    y = _convolved_back(_activated(x, slope), _rounded(w, x.dtype), _doubled(x), 2, 1)
    return _finished(y, bias, relu, x.dtype)


def deconvolution_4x4_stride_2_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _gated(_convolved(widened(gy), _rounded(w, gy.dtype), 2, 1), gate, slope, gy.dtype)


def deconvolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    return _rounded(_correlated(widened(gy), _activated(x, slope), 4, 2, 1), x.dtype), channel_sum(gy)


def convolution_3x3_downsample(x, w, bias=None, slope=1, relu=False):
    """A 3×3 convolution, then 2×2 average pooling, as one 4×4 convolution of stride 2."""
    return convolution_4x4_stride_2(x, fold(w, 'pooled'), bias, slope, relu)


def convolution_3x3_downsample_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return convolution_4x4_stride_2_data_gradient(gy, fold(w, 'pooled'), in_shape, gate, slope)


def convolution_3x3_downsample_weight_gradient(x, gy, slope=1):
    gw, gb = convolution_4x4_stride_2_weight_gradient(x, gy, slope)
    return unfold(gw, 'pooled'), gb


def upsample_convolution_3x3(x, w, bias=None, slope=1, relu=False):
    """Nearest-neighbour upsampling by 2, then a 3×3 convolution, as one 4×4 deconvolution of stride 2."""
    return deconvolution_4x4_stride_2(x, _swap_channels(fold(w, 'upsampled')), bias, slope, relu)


def upsample_convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return deconvolution_4x4_stride_2_data_gradient(gy, _swap_channels(fold(w, 'upsampled')), None, gate, slope)


def upsample_convolution_3x3_weight_gradient(x, gy, slope=1):
    gw, gb = deconvolution_4x4_stride_2_weight_gradient(x, gy, slope)
    return unfold(_swap_channels(gw), 'upsampled'), gb


def _forward(x, w, bias, slope, relu, stride, pad):
    return _finished(_convolved(_activated(x, slope), _rounded(w, x.dtype), stride, pad), bias, relu, x.dtype)


def _data_gradient(gy, w, in_shape, gate, slope, stride, pad):
    gx = _convolved_back(widened(gy), _rounded(w, gy.dtype), in_shape, stride, pad)
    return _gated(gx, gate, slope, gy.dtype)


def _weight_gradient(x, gy, slope, k, stride, pad):
    return _rounded(_correlated(_activated(x, slope), widened(gy), k, stride, pad), x.dtype), channel_sum(gy)


def _rounded(w, dtype):
    """w with the values it has in `dtype`, in the type that is computed in."""
    return widened(w.astype(dtype, copy=False))


def _activated(x, slope):
    return widened(x if slope == 1 else activate(x, slope))


def _gated(gx, gate_of_x, slope, dtype):
    gx = narrowed(gx, dtype)
    return gx if gate_of_x is None else gate(gx, gate_of_x, slope)


def _finished(y, bias, relu, dtype):
    y = y if bias is None else y + _rounded(bias, dtype)
    return narrowed(np.maximum(y, 0) if relu else y, dtype)


def _doubled(x):
    return 2 * x.shape[1], 2 * x.shape[2]


def _swap_channels(w):
    return w.transpose(1, 0, 2, 3)


def _taps(k, stride, height, width):
    """For each tap (a, b) the rows and columns of the padded image that the (height, width) outputs read."""
    for a in range(k):
        for b in range(k):
            yield a, b, slice(a, a + stride * (height - 1) + 1, stride), slice(b, b + stride * (width - 1) + 1, stride)


def _padded(x, pad):
    return np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def _convolved(x, w, stride, pad):
    k = w.shape[2]
    height, width = ((extent + 2 * pad - k) // stride + 1 for extent in x.shape[1:3])
    x = _padded(x, pad)
    y = np.zeros((len(x), height, width, len(w)), x.dtype)
    for a, b, rows, columns in _taps(k, stride, height, width):
        y += x[:, rows, columns] @ w[:, :, a, b].T
    return y


def _convolved_back(gy, w, in_shape, stride, pad):
    height, width = in_shape
    gx = np.zeros((len(gy), height + 2 * pad, width + 2 * pad, w.shape[1]), gy.dtype)
    for a, b, rows, columns in _taps(w.shape[2], stride, *gy.shape[1:3]):
        gx[:, rows, columns] += gy @ w[:, :, a, b]
    return np.ascontiguousarray(gx[:, pad:pad + height, pad:pad + width])


def _correlated(x, gy, k, stride, pad):
    x = _padded(x, pad)
    channels, rows_of_gy = x.shape[3], gy.reshape(-1, gy.shape[3]).T
    gw = np.empty((gy.shape[3], channels, k, k), gy.dtype)
    for a, b, rows, columns in _taps(k, stride, *gy.shape[1:3]):
        gw[:, :, a, b] = rows_of_gy @ x[:, rows, columns].reshape(-1, channels)
    return gw
