"""Bilinear resizing from channels first to channels last, with a shift and a factor, in one pass."""
from source.kernels.cpu.options import EXACT

import numba
from numba import float32, types

_Images = types.Array(types.float32, 4, 'C')
_Indices = types.Array(types.intp, 1, 'C')
_Shares = types.Array(types.float32, 1, 'C')


@numba.njit(types.void(_Images, _Indices, _Indices, _Shares, _Indices, _Indices, _Shares, float32, float32, _Images),
            **EXACT)
def resize(ims, top, bottom, down, left, right, across, shift, factor, y):
    """y (N, H', W', C) = (resized ims (N, C, H, W) + shift) · factor.

    An output pixel lies between rows top and bottom, `down` of the way, and columns left and right.
    """
    n, channels = ims.shape[:2]
    rows, columns = y.shape[1], y.shape[2]
    for job in numba.prange(n * rows):
        image, i = job // rows, job % rows
        for c in range(channels):
            above, below = ims[image, c, top[i]], ims[image, c, bottom[i]]
            for j in range(columns):
                first = above[left[j]] + (above[right[j]] - above[left[j]]) * across[j]
                second = below[left[j]] + (below[right[j]] - below[left[j]]) * across[j]
                y[image, i, j, c] = (first + (second - first) * down[i] + shift) * factor
