"""What networks in inference do besides convolutions: bilinear resizing and 3×3 pooling."""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def resize(ims, rows, columns, shift, factor, channels):
    """(resized ims + shift) · factor, channels-last: ims float32 (N, C, H, W) → (N, H', W', channels).

    rows and columns are (lower index, upper index, share of the upper one), each of H' or W' (intp, intp, float32);
    channels beyond C are 0.
    """
    (top, bottom, down), (left, right, across) = rows, columns
    first, second = ims[:, :, :, left], ims[:, :, :, right]
    x = first + (second - first) * across
    first, second = x[:, :, top], x[:, :, bottom]
    x = (first + (second - first) * down[:, None] + np.float32(shift)) * np.float32(factor)
    y = np.zeros((*x.shape[:1], *x.shape[2:], channels), np.float32)
    y[..., :ims.shape[1]] = x.transpose(0, 2, 3, 1)
    return y


def max_3x3(x, stride, pad, y, first_channel):
    """y (N, H', W', …), from `first_channel` on, = the largest of each window of x (N, H, W, C) inside it; in place."""
    windows = _windows(widened(x), stride, pad, y.shape[1:3], -np.inf)
    y[..., first_channel:first_channel + x.shape[3]] = narrowed(np.max(windows, axis=0), y.dtype)


def average_3x3(x, counts_padding, y, first_channel):
    """y (N, H, W, …), from `first_channel` on, = the average of each window of x, stride 1 and padding 1; in place."""
    total = sum(_windows(widened(x), 1, 1, y.shape[1:3], 0))
    ones = np.ones((1, *x.shape[1:3], 1), total.dtype)
    n_pixels = 9 if counts_padding else sum(_windows(ones, 1, 1, y.shape[1:3], 0))
    y[..., first_channel:first_channel + x.shape[3]] = narrowed(total / n_pixels, y.dtype)


def _windows(x, stride, pad, out_shape, beyond):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=beyond)
    height, width = (stride * (extent - 1) + 1 for extent in out_shape)
    return [x[:, a:a + height:stride, b:b + width:stride] for a in range(3) for b in range(3)]
