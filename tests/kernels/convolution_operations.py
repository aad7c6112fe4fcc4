"""The networks' six convolutions by Chainer's functions in float64: what all kernels of them are compared with."""
import contextlib
from collections.abc import Callable
from typing import NamedTuple

import chainer
import chainer.functions as F
import ml_dtypes
import numba
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
STRIDED = {'convolution_4x4_stride_2', 'convolution_3x3_downsample'}  # which need two pixels each way
DOUBLING = {'deconvolution_4x4_stride_2', 'upsample_convolution_3x3'}


class Operation(NamedTuple):
    """`name` of the forward pass, from which those of its gradients follow; `function` takes (B, C, H, W), w, b."""
    name: str
    k: int
    function: Callable

    def passes(self, kernels):
        """(forward, data_gradient, weight_gradient) of a set's module `convolution`."""
        return [getattr(kernels, self.name + suffix) for suffix in ('', '_data_gradient', '_weight_gradient')]

    def arrays(self, shape, dtype=np.float32):
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
        if self.name in STRIDED:
            h, w = h // 2, w // 2
        elif self.name in DOUBLING:
            h, w = 2 * h, 2 * w
        return x, weight, bias, random.standard_normal((n, h, w, o)).astype(dtype)

    def in_float64(self, *arrays):
        """y and the gradients of x, w and bias, from x, w, bias and gy."""
        x, w, bias, gy = (chainer.Variable(a.astype(np.float64)) for a in arrays)
        y = F.transpose(self.function(F.transpose(x, (0, 3, 1, 2)), w, bias), (0, 2, 3, 1))
        y.grad = gy.array
        y.backward()
        return y.array, x.grad, w.grad, bias.grad


OPERATIONS = [
    Operation('convolution_1x1', 1, F.convolution_2d),
    Operation('convolution_3x3', 3, lambda x, w, b: F.convolution_2d(x, w, b, pad=1)),
    Operation('convolution_4x4_stride_2', 4, lambda x, w, b: F.convolution_2d(x, w, b, 2, 1)),
    Operation('deconvolution_4x4_stride_2', 4, lambda x, w, b: F.deconvolution_2d(x, w, b, 2, 1)),
    Operation('upsample_convolution_3x3', 3,
              lambda x, w, b: F.convolution_2d(F.unpooling_2d(x, 2, cover_all=False), w, b, pad=1)),
    Operation('convolution_3x3_downsample', 3,
              lambda x, w, b: F.average_pooling_2d(F.convolution_2d(x, w, b, pad=1), 2)),
]


def every_operation(cases):
    """[(operation, *case)] of every operation with every case, (shape, …), that it takes."""
    return [(operation, *case) for operation in OPERATIONS for case in cases
            if operation.name not in STRIDED or min(case[0][1:3]) > 1]


def ids(value):
    """Of a test's parameter."""
    return getattr(value, 'name', str(value) if isinstance(value, tuple) else None)


@contextlib.contextmanager
def threads(n):
    """Within it, numba's kernels run on so many."""
    before = numba.get_num_threads()
    numba.set_num_threads(n)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def tolerance(dtype):
    """Of the largest value: a few roundings of `dtype`, the last of which is as large as bfloat16's step."""
    return {8: 1e-13, 4: 3e-6, 2: 2. ** -8}[np.dtype(dtype).itemsize]


def assert_close(actual, expected, dtype, tol=None):
    assert actual.dtype == dtype and actual.shape == expected.shape
    expected = np.asarray(expected, np.float64)
    bound = (tolerance(dtype) if tol is None else tol) * (np.abs(expected).max() if expected.size else 0)
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=0, atol=bound)
