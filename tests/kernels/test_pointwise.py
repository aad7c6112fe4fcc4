"""1×1 convolutions against float64 products."""
from source.kernels.cpu import pointwise

import numba
import numpy as np
import pytest

# N, H, W, C, O: below a part of 512 pixels, one that is not whole, several; single pixels and channels; RGB
SHAPES = [(2, 8, 8, 16, 32), (3, 17, 19, 33, 20), (5, 32, 32, 3, 64), (4, 32, 32, 64, 3), (1, 1, 1, 1, 1)]


def draw(n, h, w, c, o):
    random = np.random.RandomState(0)
    shapes = (n, h, w, c), (o, c, 1, 1), (o,), (n, h, w, o)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def activated(x, slope):
    return np.where(x > 0, x, np.float64(slope) * x)


def assert_close(actual, expected):
    assert actual.dtype == np.float32 and actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('slope', [1, 0, .2])
@pytest.mark.parametrize('biased', [True, False])
def test_forward(shape, slope, biased):
    x, w, b, _ = draw(*shape)
    expected = np.einsum('nhwc,oc->nhwo', activated(x, slope), w[:, :, 0, 0].astype(np.float64))
    assert_close(pointwise.convolution_1x1(x, w, b if biased else None, slope), expected + b if biased else expected)


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('slope', [None, 0, .2])
def test_data_gradient(shape, slope):
    x, w, _, gy = draw(*shape)
    expected = np.einsum('nhwo,oc->nhwc', gy.astype(np.float64), w[:, :, 0, 0])
    if slope is None:
        assert_close(pointwise.convolution_1x1_data_gradient(gy, w), expected)
    else:
        assert_close(pointwise.convolution_1x1_data_gradient(gy, w, gate=x, slope=slope),
                     np.where(x > 0, expected, slope * expected))


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('slope', [1, 0, .2])
def test_weight_gradient(shape, slope):
    x, _, _, gy = draw(*shape)
    gw, gb = pointwise.convolution_1x1_weight_gradient(x, gy, slope)
    assert_close(gw[:, :, 0, 0], np.einsum('nhwo,nhwc->oc', gy.astype(np.float64), activated(x, slope)))
    assert_close(gb, gy.astype(np.float64).sum((0, 1, 2)))


def test_bits_do_not_depend_on_threads():
    x, w, b, gy = draw(*SHAPES[1])

    def everything():
        return (pointwise.convolution_1x1(x, w, b, 0), pointwise.convolution_1x1_data_gradient(gy, w, None, x, 0),
                *pointwise.convolution_1x1_weight_gradient(x, gy, 0))
    before = everything()
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        for actual, expected in zip(everything(), before, strict=True):
            np.testing.assert_array_equal(actual, expected)
    finally:
        numba.set_num_threads(n_threads)
