"""The GPU sets' six convolutions, each beside its plain float64 composition: for the twins and for the kernels."""
from collections.abc import Callable
from typing import NamedTuple

from tests.kernels import plain_convolution as plain

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype(np.float64), np.dtype(np.float32), BFLOAT16]
SLOPES = [1, 0, .2]
# B, H, W, C, O: whole; odd sizes; a single pixel and channel; RGB at either end
SHAPES = [(2, 8, 8, 16, 24), (1, 5, 7, 3, 20), (3, 9, 6, 10, 33), (2, 1, 1, 1, 1), (2, 6, 4, 33, 3)]


STRIDED = {'convolution_4x4_stride_2', 'convolution_3x3_downsample'}  # which need two pixels each way
DOUBLING = {'deconvolution_4x4_stride_2', 'upsample_convolution_3x3'}


class Operation(NamedTuple):
    """`name` of the forward pass, from which those of its gradients follow, and the three passes in float64."""
    name: str
    k: int
    forward: Callable
    data_gradient: Callable
    weight_gradient: Callable

    def passes(self, kernels):
        """(forward, data_gradient, weight_gradient) of a set's module `convolution`."""
        return [getattr(kernels, self.name + suffix) for suffix in ('', '_data_gradient', '_weight_gradient')]

    def out_size(self, h, w):
        if self.name in STRIDED:
            return h // 2, w // 2
        return (2 * h, 2 * w) if self.name in DOUBLING else (h, w)

    def arrays(self, shape, dtype):
        """x, w, bias and gy: activations of `dtype`, the rest of the type that weights have beside it.

        shape: (B, H, W, C) of x, and the channels of y.
        """
        n, h, w, c, o = shape
        random = np.random.RandomState(0)
        weight_dtype = np.float64 if dtype == np.float64 else np.float32
        weight_shape = (c, o, self.k, self.k) if self.name.startswith('deconvolution') else (o, c, self.k, self.k)
        x = random.standard_normal((n, h, w, c)).astype(dtype)
        weight, bias = (random.standard_normal(s).astype(weight_dtype) for s in (weight_shape, (o,)))
        if dtype == BFLOAT16:  # of few bits, so that rounding them in the kernel, folded or not, changes nothing
            weight, bias = np.round(weight * 4) / 4, np.round(bias * 4) / 4
        return x, weight, bias, random.standard_normal((n, *self.out_size(h, w), o)).astype(dtype)


def _1x1_data_gradient(gy, w, in_shape):
    return gy.astype(np.float64) @ w[:, :, 0, 0]


def _1x1_weight_gradient(x, gy):
    return np.einsum('nhwo,nhwc->oc', gy.astype(np.float64), x.astype(np.float64))[:, :, None, None]


OPERATIONS = [
    Operation('convolution_1x1', 1, lambda x, w: x.astype(np.float64) @ w[:, :, 0, 0].T, _1x1_data_gradient,
              _1x1_weight_gradient),
    Operation('convolution_3x3', 3, plain.convolution, plain.convolution_data_gradient,
              lambda x, gy: plain.convolution_weight_gradient(x, gy, 3)),
    Operation('convolution_4x4_stride_2', 4, lambda x, w: plain.convolution(x, w, 2),
              lambda gy, w, in_shape: plain.convolution_data_gradient(gy.astype(np.float64), w, in_shape, 2),
              lambda x, gy: plain.convolution_weight_gradient(x, gy, 4, 2)),
    Operation('deconvolution_4x4_stride_2', 4,
              lambda x, w: plain.convolution_data_gradient(
                  x.astype(np.float64), w, (2 * x.shape[1], 2 * x.shape[2]), 2),
              lambda gy, w, in_shape: plain.convolution(gy, w, 2),
              lambda x, gy: plain.convolution_weight_gradient(gy, x, 4, 2)),
    Operation('upsample_convolution_3x3', 3, lambda x, w: plain.convolution(plain.upsample(x), w),
              lambda gy, w, in_shape: plain.upsample_gradient(
                  plain.convolution_data_gradient(gy.astype(np.float64), w, gy.shape[1:3])),
              lambda x, gy: plain.convolution_weight_gradient(plain.upsample(x), gy, 3)),
    Operation('convolution_3x3_downsample', 3, lambda x, w: plain.average_pool(plain.convolution(x, w)),
              lambda gy, w, in_shape: plain.convolution_data_gradient(
                  plain.average_pool_gradient(gy, in_shape), w, in_shape),
              lambda x, gy: plain.convolution_weight_gradient(x, plain.average_pool_gradient(gy, x.shape[1:3]), 3)),
]


def cases():
    """Every operation with every shape it takes."""
    return [(operation, shape) for operation in OPERATIONS for shape in SHAPES
            if operation.name not in STRIDED or min(shape[1:3]) > 1]


def tolerance(dtype):
    """Of the largest value: a few roundings of `dtype`, the last of which is as large as bfloat16's step."""
    return {8: 1e-13, 4: 3e-6, 2: 2. ** -8}[dtype.itemsize]


def assert_close(actual, expected, dtype, tol=None):
    assert actual.dtype == dtype and actual.shape == expected.shape
    expected = np.asarray(expected, np.float64)
    bound = (tolerance(np.dtype(dtype)) if tol is None else tol) * (np.abs(expected).max() if expected.size else 0)
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=0, atol=bound)
