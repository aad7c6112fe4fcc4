"""The twins of the GPU's convolutions against plain compositions in float64 and against Chainer's own functions."""
from source.kernels.reference import convolution as twins
from tests.kernels import plain_convolution as plain
from tests.kernels.convolution_operations import BFLOAT16, DTYPES, OPERATIONS, SLOPES, assert_close, cases, tolerance

import chainer.functions as F
import numpy as np
import pytest


def activated(x, slope):
    """As its own array holds it."""
    return plain.activate(x.astype(np.float64), slope).astype(x.dtype)


@pytest.mark.parametrize('slope', SLOPES)
@pytest.mark.parametrize('dtype', DTYPES, ids=str)
@pytest.mark.parametrize('operation, shape', cases(), ids=lambda value: getattr(value, 'name', str(value)))
def test_passes(operation, shape, dtype, slope):
    x, w, bias, gy = operation.arrays(shape, dtype)
    forward, data_gradient, weight_gradient = operation.passes(twins)
    a = activated(x, slope)
    assert_close(forward(x, w, bias, slope), operation.forward(a, w) + bias, dtype)
    expected = operation.data_gradient(gy, w, x.shape[1:3])
    assert_close(data_gradient(gy, w, x.shape[1:3]), expected, dtype)
    gated = np.where(x > 0, expected, slope * expected)
    assert_close(data_gradient(gy, w, x.shape[1:3], x, slope), gated, dtype)
    gw, gb = weight_gradient(x, gy, slope)
    folded = 2.25 if '3x3' in operation.name else 1  # unfolding adds up to as many rounded values
    wide = w.dtype
    assert_close(gw, operation.weight_gradient(a, gy), wide, folded * tolerance(dtype))
    assert_close(gb, gy.sum(axis=(0, 1, 2), dtype=np.float64), wide, 1e-6)


@pytest.mark.parametrize('operation', OPERATIONS, ids=lambda operation: operation.name)
def test_in_shape_may_be_left_out_of_even_sizes(operation):
    x, w, _, gy = operation.arrays((2, 6, 4, 3, 5), np.float64)
    _, data_gradient, _ = operation.passes(twins)
    np.testing.assert_array_equal(data_gradient(gy, w), data_gradient(gy, w, (6, 4)))


CHAINERS = {
    'convolution_1x1': lambda x, w, b: F.convolution_2d(x, w, b),
    'convolution_3x3': lambda x, w, b: F.convolution_2d(x, w, b, pad=1),
    'convolution_4x4_stride_2': lambda x, w, b: F.convolution_2d(x, w, b, 2, 1),
    'deconvolution_4x4_stride_2': lambda x, w, b: F.deconvolution_2d(x, w, b, 2, 1),
    'upsample_convolution_3x3': lambda x, w, b: F.convolution_2d(
        F.unpooling_2d(x, 2, cover_all=False), w, b, pad=1),
    'convolution_3x3_downsample': lambda x, w, b: F.average_pooling_2d(F.convolution_2d(x, w, b, pad=1), 2),
}


@pytest.mark.parametrize('operation', OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize('size', [(6, 4), (7, 5)])
def test_against_chainer(operation, size):
    import chainer
    x, w, b, gy = operation.arrays((2, *size, 3, 5), np.float64)
    variables = [chainer.Variable(a) for a in (np.ascontiguousarray(x.transpose(0, 3, 1, 2)), w, b)]
    y = CHAINERS[operation.name](F.leaky_relu(variables[0], .1), *variables[1:])
    y.grad = np.ascontiguousarray(gy.transpose(0, 3, 1, 2))
    y.backward()
    forward, data_gradient, weight_gradient = operation.passes(twins)
    assert_close(forward(x, w, b, .1), y.array.transpose(0, 2, 3, 1), np.float64)
    assert_close(data_gradient(gy, w, size, x, .1), variables[0].grad.transpose(0, 2, 3, 1), np.float64)
    for actual, variable in zip(weight_gradient(x, gy, .1), variables[1:], strict=True):
        assert_close(actual, variable.grad, np.float64)


def test_bfloat16_sums_are_wide():
    """2048 products of 1 and a last one of 1/16 would be lost in bfloat16's 8 bits; only the result is rounded."""
    x = np.ones((1, 1, 1, 2049), BFLOAT16)
    w = np.full((1, 2049, 1, 1), 1 / 16, np.float32)
    w[:, 1::2] = -1 / 16
    assert twins.convolution_1x1(x, w).item() == 1 / 16


def test_bfloat16_weight_is_rounded():
    x, w = np.ones((1, 1, 1, 1), BFLOAT16), np.full((1, 1, 1, 1), 1 + 2 ** -8, np.float32)
    assert twins.convolution_1x1(x, w).item() == 1
