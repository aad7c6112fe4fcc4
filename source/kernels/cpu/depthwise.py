"""Depthwise convolutions of channels-last float32 arrays in inference, with bias and ReLU6."""
from source.kernels.cpu.options import EXACT

import numba
from numba import float32, int64, types

_Images = types.Array(types.float32, 4, 'C')
_Taps = types.Array(types.float32, 3, 'C')
_Vector = types.Array(types.float32, 1, 'C')


@numba.njit(types.void(_Images, _Taps, _Vector, int64, int64, int64, float32, _Images), **EXACT)
def convolve_depthwise(x, w, bias, stride, pad_y, pad_x, ceiling, y):
    """y (N, H', W', C) = the convolution of min(x, ceiling) with w (kh, kw, C), plus bias, cut to 0 … ceiling.

    `pad_y` and `pad_x` pixels of zeros are before x (N, H, W, C), behind it as many as y needs.
    """
    kh, kw, channels = w.shape
    rows = y.shape[1]
    for job in numba.prange(y.shape[0] * rows):
        image, i = job // rows, job % rows
        for j in range(y.shape[2]):
            out = y[image, i, j]
            out[:] = bias
            top, left = i * stride - pad_y, j * stride - pad_x
            for row in range(max(top, 0), min(top + kh, x.shape[1])):
                for column in range(max(left, 0), min(left + kw, x.shape[2])):
                    pixel, tap = x[image, row, column], w[row - top, column - left]
                    for c in range(channels):
                        out[c] += min(pixel[c], ceiling) * tap[c]
            for c in range(channels):
                out[c] = min(max(out[c], float32(0)), ceiling)
