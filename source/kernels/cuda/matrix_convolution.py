"""The passes of `convolution_plans` without cuDNN: windows of pixels as a matrix, times the filter's, on CuPy's cuBLAS.

Everything is float32, whatever `tf32` says: CuPy has its own switch for that, CUPY_TF32. Windows are made for some
images at a time. It cannot be captured into a CUDA graph, as CuPy's cuBLAS cannot.
"""
from source.kernels.cuda import folding, launching
from source.kernels.cuda.elementwise import activate, cast

import numpy as np

MOST_BYTES = 1 << 29  # of windows at a time
_BLOCK = 256


def fprop(image, filters, bias=None, relu=False, stride=1, pad=(0, 0), tf32=True):
    k, kh, kw, c = filters.shape
    height, width = ((e + 2 * p - r) // stride + 1 for e, r, p in zip(image.shape[1:3], (kh, kw), pad))
    result = launching.empty((len(image), height, width, k), image.dtype)
    matrix = _float(filters).reshape(k, -1).T
    for part in _parts(image, (height, width), kh * kw * c):
        windows = _gathered(image[part], (height, width), (kh, kw), stride, pad)
        result[part] = _of_type((windows @ matrix).reshape(-1, height, width, k), image.dtype)
    if bias is not None:
        folding.add_bias(result, bias)
    return activate(result, 0.) if relu else result


def dgrad(result, filters, image_shape, stride=1, pad=(0, 0), tf32=True):
    k, kh, kw, c = filters.shape
    image = launching.empty(image_shape, result.dtype)
    matrix = _float(filters).reshape(k, -1)
    for part in _parts(result, result.shape[1:3], kh * kw * c):
        windows = _float(result[part]).reshape(-1, k) @ matrix
        _run('scatter_windows', windows, image[part], image[part], result.shape[1:3], (kh, kw), stride, pad)
    return image


def wgrad(image, result, ksize, stride=1, pad=(0, 0), tf32=True):
    k, c = result.shape[3], image.shape[3]
    total = None
    for part in _parts(image, result.shape[1:3], ksize[0] * ksize[1] * c):
        windows = _gathered(image[part], result.shape[1:3], ksize, stride, pad)
        product = _float(result[part]).reshape(-1, k).T @ windows
        total = product if total is None else total + product
    return _of_type(total.reshape(k, *ksize, c), image.dtype)


def _parts(images, places, depth):
    """Slices of images whose windows fit."""
    step = max(1, MOST_BYTES // (4 * places[0] * places[1] * depth))
    return [slice(start, start + step) for start in range(0, len(images), step)]


def _gathered(image, places, ksize, stride, pad):
    windows = launching.empty((len(image) * places[0] * places[1], ksize[0] * ksize[1] * image.shape[3]))
    _run('gather_windows', image, windows, image, places, ksize, stride, pad)
    return windows


def _run(kernel, source, target, image, places, ksize, stride, pad):
    sizes = [np.int32(size) for size in (*image.shape[1:], *places, *ksize, stride, *pad)]
    args = source, target, *sizes, np.int64(target.size)
    launching.launch('matrix_convolution', kernel, (launching.ceil_div(target.size, _BLOCK),), (_BLOCK,), args,
                     image.dtype)


def _float(x):
    return x if x.dtype == np.float32 else cast(x, np.float32)


def _of_type(x, dtype):
    return x if x.dtype == dtype else cast(x, dtype)
