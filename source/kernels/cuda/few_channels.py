"""3×3 convolutions from or to images of few channels, such as RGB, as products with the nine pixels around each.

cuDNN's own leave most of a tensor core's width empty there. `windows` puts the nine beside each other, so that a 1×1
convolution does the work; where the results are few, each pixel's nine shares are made first and then added up.
"""
from source.kernels.cuda import launching

import numpy as np

_BLOCK = 128
_BYTES = 16  # of a pixel that serves: one read


def serve(x):
    """Whether x (B, H, W, C) has as few channels as these are for, filled up to one read of a thread."""
    return x.shape[3] * x.dtype.itemsize == _BYTES


def windows(x):
    """(B, H, W, C) → (B, H, W, 9·C), the pixels around each, row by row; zeros outside."""
    y = launching.empty((*x.shape[:3], 9 * x.shape[3]), x.dtype)
    _launch('windows_3x3', x.shape, 9 * x.size // x.shape[3], x.shape[3], (launching.aligned(x), y), x.dtype)
    return y


def sum_windows(shares, bias=None):
    """(B, H, W, 9·C), of each pixel its share in its neighbours' sums in the order of `windows` → the sums, and a bias
    (C,) of the same type, (B, H, W, C).
    """
    y = launching.empty((*shares.shape[:3], shares.shape[3] // 9), shares.dtype)
    args = launching.aligned(shares), launching.NULL if bias is None else launching.aligned(bias), y
    _launch('sum_windows_3x3', y.shape, y.size // y.shape[3], y.shape[3], args, y.dtype)
    return y


def by_tap(filters):
    """(O, 3, 3, C) → (9·O, 1, 1, C), whose products are the shares that `sum_windows` adds up."""
    o, _, _, c = filters.shape
    return _ordered(filters, (1, 2, 0, 3)).reshape(9 * o, 1, 1, c)


def from_tap(gradient):
    """(9·O, 1, 1, C), the product of `windows` of gradients with an image → (O, 3, 3, C), its filter's gradient."""
    o, c = gradient.shape[0] // 9, gradient.shape[3]
    return _ordered(gradient.reshape(3, 3, o, c)[::-1, ::-1], (2, 0, 1, 3))


def _ordered(array, axes):
    bits = array if array.dtype == np.float32 else array.view(np.uint16)  # CuPy hardly knows bfloat16
    return bits.transpose(axes).copy(order='C').view(array.dtype)


def _launch(kernel, shape, n, vec, args, dtype):
    sizes = np.int32(shape[1]), np.int32(shape[2]), np.int64(n)
    launching.launch('few_channels', kernel, (launching.ceil_div(n, _BLOCK),), (_BLOCK,), (*args, *sizes), dtype, vec)
