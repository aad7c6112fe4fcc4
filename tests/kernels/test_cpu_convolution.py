"""Every pass of the CPU's convolutions against Chainer's functions in float64."""
from source.kernels.cpu import convolution as kernels
from tests.kernels.convolution_operations import OPERATIONS, assert_close, every_operation, ids, threads

import numpy as np
import pytest

# (B, H, W, C, O) and slope. Whole tiles at every slope; partial tiles, odd sizes; single pixels and channels; RGB at
# either end; several blocks
CASES = [((2, 8, 8, 32, 64), 1), ((2, 8, 8, 32, 64), 0), ((2, 8, 8, 32, 64), .2), ((3, 4, 4, 16, 16), 0),
         ((1, 5, 7, 3, 20), .2), ((2, 9, 6, 40, 33), 0), ((2, 9, 6, 40, 33), .2), ((2, 1, 1, 1, 1), .2),
         ((1, 2, 3, 1, 5), 1), ((3, 6, 4, 70, 3), .2), ((5, 16, 12, 5, 1), 0), ((13, 20, 24, 48, 96), 1)]
# For 1×1, of parts of 512 pixels: less than one, one that is not whole, several
POINTWISE = [((3, 17, 19, 33, 20), 0), ((5, 32, 32, 3, 64), .2), ((4, 32, 32, 64, 3), 1), ((17, 32, 16, 3, 5), 0)]


@pytest.mark.parametrize('operation, shape, slope', [
    *every_operation(CASES), *[(OPERATIONS[0], *case) for case in POINTWISE]], ids=ids)
def test_passes(operation, shape, slope):
    x, w, bias, gy = operation.arrays(shape)
    in_shape, activated = x.shape[1:3], np.where(x > 0, x, np.float32(slope) * x)
    forward, data_gradient, weight_gradient = operation.passes(kernels)
    y, gx, gw, gb = operation.in_float64(activated, w, bias, gy)
    actual_gw, actual_gb = weight_gradient(x, gy, slope)
    tol = 1e-5 if operation.k == 1 else 2e-5  # the rounding of F(4x4, 3x3) grows with the scale of the whole map
    assert_close(forward(x, w, bias, slope), y, np.float32, tol)
    assert_close(forward(x, w, slope=slope), y - bias, np.float32, tol)
    assert_close(data_gradient(gy, w, in_shape), gx, np.float32, tol)
    assert_close(data_gradient(gy, w, in_shape, x, slope), np.where(x > 0, gx, slope * gx), np.float32, tol)
    assert_close(actual_gw, gw, np.float32, tol)
    assert_close(actual_gb, gb, np.float32, 1e-6)


@pytest.mark.parametrize('operation', OPERATIONS, ids=ids)
def test_same_bits_for_any_number_of_threads(operation):
    x, w, bias, gy = operation.arrays((7, 12, 12, 48, 40))
    forward, data_gradient, weight_gradient = operation.passes(kernels)

    def every_pass():
        return [forward(x, w, bias, .2), data_gradient(gy, w, (12, 12), x, .2), *weight_gradient(x, gy, .2)]
    expected = every_pass()
    with threads(1):
        alone = every_pass()
    np.testing.assert_equal([alone, every_pass()], [expected, expected])


def test_nan_is_not_hidden():
    x, w, _, _ = OPERATIONS[1].arrays((1, 4, 4, 3, 5))
    x[0, 1, 1, 0] = np.nan
    assert np.isnan(kernels.convolution_3x3(x, w, slope=0)).any()
