"""Every pass of the CPU convolutions against its plain float64 twin."""
from source.kernels.cpu import convolution as fast
from tests.kernels import plain_convolution as plain

import numba
import numpy as np
import pytest

# N, H, W, C, O: whole tiles; partial tiles, odd sizes; single pixels and channels; RGB at either end
SHAPES = [(2, 8, 8, 32, 64), (3, 4, 4, 16, 16), (1, 5, 7, 3, 20), (2, 9, 6, 40, 33), (2, 1, 1, 1, 1), (1, 2, 3, 1, 5),
          (3, 6, 4, 70, 3), (5, 16, 12, 5, 1)]
SLOPES = [1, 0, 0.2]


def random_arrays(*shapes):
    random = np.random.RandomState(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def assert_close(actual, expected):
    """Within 2e-5 of the largest value: the float32 rounding of F(4x4, 3x3) grows with the scale of the whole map."""
    assert actual.dtype == np.float32 and actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5 * (np.abs(expected).max() if expected.size else 0))


class Same:
    k, w_axes = 3, (0, 1, 2, 3)
    forward = staticmethod(fast.convolution_3x3)
    weight_gradient = staticmethod(fast.convolution_3x3_weight_gradient)
    plain_forward = staticmethod(plain.convolution)

    @staticmethod
    def data_gradient(gy, w, x, **gate):
        return fast.convolution_3x3_data_gradient(gy, w, **gate)

    @staticmethod
    def plain_data_gradient(gy, w, in_shape):
        return plain.convolution_data_gradient(gy, w, in_shape)

    @staticmethod
    def plain_weight_gradient(x, gy):
        return plain.convolution_weight_gradient(x, gy, 3)


class Stride2(Same):
    k = 4
    forward = staticmethod(fast.convolution_4x4_stride_2)
    weight_gradient = staticmethod(fast.convolution_4x4_stride_2_weight_gradient)

    @staticmethod
    def plain_forward(x, w):
        return plain.convolution(x, w, stride=2)

    @staticmethod
    def data_gradient(gy, w, x, **gate):
        return fast.convolution_4x4_stride_2_data_gradient(gy, w, x.shape[1:3], **gate)

    @staticmethod
    def plain_data_gradient(gy, w, in_shape):
        return plain.convolution_data_gradient(gy, w, in_shape, stride=2)

    @staticmethod
    def plain_weight_gradient(x, gy):
        return plain.convolution_weight_gradient(x, gy, 4, stride=2)


class Deconvolution(Same):
    k, w_axes = 4, (1, 0, 2, 3)
    forward = staticmethod(fast.deconvolution_4x4_stride_2)
    weight_gradient = staticmethod(fast.deconvolution_4x4_stride_2_weight_gradient)

    @staticmethod
    def plain_forward(x, w):
        return plain.convolution_data_gradient(x, w, (2 * x.shape[1], 2 * x.shape[2]), stride=2)

    @staticmethod
    def data_gradient(gy, w, x, **gate):
        return fast.deconvolution_4x4_stride_2_data_gradient(gy, w, **gate)

    @staticmethod
    def plain_data_gradient(gy, w, in_shape):
        return plain.convolution(gy, w, stride=2)

    @staticmethod
    def plain_weight_gradient(x, gy):
        return plain.convolution_weight_gradient(gy, x, 4, stride=2)


class Downsample(Same):
    forward = staticmethod(fast.convolution_3x3_downsample)
    weight_gradient = staticmethod(fast.convolution_3x3_downsample_weight_gradient)

    @staticmethod
    def plain_forward(x, w):
        return plain.average_pool(plain.convolution(x, w))

    @staticmethod
    def data_gradient(gy, w, x, **gate):
        return fast.convolution_3x3_downsample_data_gradient(gy, w, x.shape[1:3], **gate)

    @staticmethod
    def plain_data_gradient(gy, w, in_shape):
        return plain.convolution_data_gradient(plain.average_pool_gradient(gy, in_shape), w, in_shape)

    @staticmethod
    def plain_weight_gradient(x, gy):
        return plain.convolution_weight_gradient(x, plain.average_pool_gradient(gy, x.shape[1:3]), 3)


class Upsample(Same):
    forward = staticmethod(fast.upsample_convolution_3x3)
    weight_gradient = staticmethod(fast.upsample_convolution_3x3_weight_gradient)

    @staticmethod
    def plain_forward(x, w):
        return plain.convolution(plain.upsample(x), w)

    @staticmethod
    def data_gradient(gy, w, x, **gate):
        return fast.upsample_convolution_3x3_data_gradient(gy, w, **gate)

    @staticmethod
    def plain_data_gradient(gy, w, in_shape):
        return plain.upsample_gradient(plain.convolution_data_gradient(gy, w, gy.shape[1:3]))

    @staticmethod
    def plain_weight_gradient(x, gy):
        return plain.convolution_weight_gradient(plain.upsample(x), gy, 3)


KINDS = [Same, Stride2, Deconvolution, Downsample, Upsample]


def case(kind, shape):
    n, h, w, c, o = shape
    x, weight, bias = random_arrays((n, h, w, c), np.take((o, c, kind.k, kind.k), kind.w_axes), (o,))
    gy, = random_arrays(kind.plain_forward(x, weight).shape)
    return x, weight, bias, gy


def every_case(test):
    test = pytest.mark.parametrize('shape', SHAPES, ids=str)(test)
    test = pytest.mark.parametrize('slope', SLOPES)(test)
    return pytest.mark.parametrize('kind', KINDS)(test)


@every_case
def test_forward(kind, shape, slope):
    x, w, bias, _ = case(kind, shape)
    expected = kind.plain_forward(plain.activate(x, slope), w) + bias
    assert_close(kind.forward(x, w, bias, slope), expected)


@every_case
def test_data_gradient(kind, shape, slope):
    x, w, _, gy = case(kind, shape)
    expected = kind.plain_data_gradient(gy, w, x.shape[1:3])
    assert_close(kind.data_gradient(gy, w, x), expected)
    assert_close(kind.data_gradient(gy, w, x, gate=x, slope=slope), np.where(x > 0, expected, slope * expected))


@every_case
def test_weight_gradient(kind, shape, slope):
    x, _, _, gy = case(kind, shape)
    gw, gb = kind.weight_gradient(x, gy, slope)
    assert_close(gw, kind.plain_weight_gradient(plain.activate(x, slope), gy))
    assert_close(gb, gy.sum(axis=(0, 1, 2), dtype=np.float64))


@pytest.mark.parametrize('kind', KINDS)
def test_many_blocks(kind):
    x, w, bias, gy = case(kind, (13, 20, 24, 48, 96))
    assert_close(kind.forward(x, w, bias), kind.plain_forward(x, w) + bias)
    assert_close(kind.data_gradient(gy, w, x), kind.plain_data_gradient(gy, w, x.shape[1:3]))
    assert_close(kind.weight_gradient(x, gy)[0], kind.plain_weight_gradient(x, gy))


@pytest.mark.parametrize('kind', KINDS)
def test_same_bits_for_any_number_of_threads(kind):
    x, w, bias, gy = case(kind, (7, 12, 12, 48, 40))

    def every_pass():
        return [kind.forward(x, w, bias), kind.data_gradient(gy, w, x), *kind.weight_gradient(x, gy)]
    all_threads = numba.get_num_threads()
    expected = every_pass()
    try:
        numba.set_num_threads(1)
        alone = every_pass()
    finally:
        numba.set_num_threads(all_threads)
    for a, b, c in zip(expected, alone, every_pass()):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_strided_weight():
    x, w = random_arrays((2, 6, 6, 8), (3, 3, 8, 20))
    assert_close(fast.convolution_3x3(x, w.T), plain.convolution(x, w.T))


def test_nan_is_not_hidden():
    x, w = random_arrays((1, 4, 4, 3), (5, 3, 3, 3))
    x[0, 1, 1, 0] = np.nan
    assert np.isnan(fast.convolution_3x3(x, w, slope=0)).any()
