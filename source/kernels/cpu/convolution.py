"""Convolutions of channels-last float32 arrays on a CPU: forward, data gradient and weight gradient.

x (N, H, W, C) and y (N, H', W', O) are C-contiguous; weights keep Chainer's layouts, (O, C, k, k) or, for the
deconvolution, (C, O, k, k). `slope` applies max(x, slope x) to the input while it is read: 1 leaves it alone, 0 is
ReLU, 0.2 a leaky one. A data gradient given the `gate` (that same x) is multiplied by `slope` where the gate is not
positive; its `in_shape`, (H, W) of x, is read where gy does not tell it. Equal inputs give equal bits, for any number
of threads.
"""
from source.kernels.cpu.channel_sum import channel_sum
from source.kernels.cpu.pointwise import (  # noqa: F401  (of this module for whoever asks it for an operation)
    convolution_1x1,
    convolution_1x1_data_gradient,
    convolution_1x1_weight_gradient,
)
from source.kernels.cpu.schemes import DOWN, SAME, UP
from source.kernels.cpu.tiling import convolve, weight_gradient

import numpy as np


def convolution_3x3(x, w, bias=None, slope=1):
    """Stride 1, padding 1."""
    return convolve(SAME, x, w, bias, slope, x.shape[1:3])


def convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=0):
    return convolve(SAME, gy, _swap_channels(w[:, :, ::-1, ::-1]), None, 1, gy.shape[1:3], gate, slope)


def convolution_3x3_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw = np.empty((gy.shape[3], x.shape[3], 3, 3), np.float32)
    return gw, weight_gradient(SAME, x, slope, gy, 1, gw)


def convolution_4x4_stride_2(x, w, bias=None, slope=1):
    """Padding 1; (H, W) becomes (H // 2, W // 2)."""
    return convolve(DOWN, x, w, bias, slope, (x.shape[1] // 2, x.shape[2] // 2))


def convolution_4x4_stride_2_data_gradient(gy, w, in_shape, gate=None, slope=0):
    """in_shape: (H, W) of x, which may be odd."""
    return convolve(UP, gy, _swap_channels(w), None, 1, in_shape, gate, slope)


def convolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw = np.empty((gy.shape[3], x.shape[3], 4, 4), np.float32)
    return gw, weight_gradient(DOWN, x, slope, gy, 1, gw)


def deconvolution_4x4_stride_2(x, w, bias=None, slope=1):
    """Padding 1; (H, W) becomes (2 H, 2 W)."""
    return convolve(UP, x, _swap_channels(w), bias, slope, (2 * x.shape[1], 2 * x.shape[2]))


def deconvolution_4x4_stride_2_data_gradient(gy, w, in_shape=None, gate=None, slope=0):
    return convolve(DOWN, gy, w, None, 1, (gy.shape[1] // 2, gy.shape[2] // 2), gate, slope)


def deconvolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw = np.empty((x.shape[3], gy.shape[3], 4, 4), np.float32)
    weight_gradient(DOWN, gy, 1, x, slope, gw)
    return gw, channel_sum(gy)


def convolution_3x3_downsample(x, w, bias=None, slope=1):
    """A 3x3 convolution, then 2x2 average pooling, as one 4x4 convolution of stride 2."""
    return convolution_4x4_stride_2(x, _apply_to_taps(_POOLED_TAPS, w), bias, slope)


def convolution_3x3_downsample_data_gradient(gy, w, in_shape, gate=None, slope=0):
    """in_shape: (H, W) of x, which may be odd."""
    return convolution_4x4_stride_2_data_gradient(gy, _apply_to_taps(_POOLED_TAPS, w), in_shape, gate, slope)


def convolution_3x3_downsample_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw, gb = convolution_4x4_stride_2_weight_gradient(x, gy, slope)
    return _apply_to_taps(_POOLED_TAPS.T, gw), gb


def upsample_convolution_3x3(x, w, bias=None, slope=1):
    """Nearest-neighbour upsampling by 2, then a 3x3 convolution, as one 4x4 deconvolution of stride 2."""
    return deconvolution_4x4_stride_2(x, _swap_channels(_apply_to_taps(_UPSAMPLED_TAPS, w)), bias, slope)


def upsample_convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=0):
    return deconvolution_4x4_stride_2_data_gradient(
        gy, _swap_channels(_apply_to_taps(_UPSAMPLED_TAPS, w)), None, gate, slope)


def upsample_convolution_3x3_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw, gb = deconvolution_4x4_stride_2_weight_gradient(x, gy, slope)
    return _apply_to_taps(_UPSAMPLED_TAPS.T, _swap_channels(gw)), gb


# One axis of the 4 taps that do the work of 3: pooling averages the kernel with its neighbour's copy, and
# upsampling lets two adjacent (reversed) taps meet the same pixel.
_POOLED_TAPS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], np.float32) / 2
_UPSAMPLED_TAPS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)


def _swap_channels(w):
    return w.transpose(1, 0, 2, 3)


def _apply_to_taps(matrix, w):
    """matrix @ w @ matrix.T for every pair of channels."""
    o, c, k, _ = w.shape
    both_axes = np.kron(matrix, matrix)
    taps = np.ascontiguousarray(w).reshape(o * c, k * k) @ both_axes.T
    return taps.reshape(o, c, len(matrix), len(matrix))
