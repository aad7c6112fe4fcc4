"""Every pass of the CPU's convolutions against Chainer's functions in float64."""
from source.kernels.cpu import convolution as kernels
from tests.kernels.convolution_operations import OPERATIONS, assert_close, check_passes, every_operation, identifier

import numba
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
    *every_operation(CASES), *[(OPERATIONS[0], *case) for case in POINTWISE]], ids=identifier)
def test_passes(operation, shape, slope):
    """The float32 rounding of F(4x4, 3x3) grows with the scale of the whole map."""
    tol = 1e-5 if operation.k == 1 else 2e-5
    check_passes(kernels, operation, shape, slope, np.float32, tol, tol)


@pytest.mark.parametrize('operation', OPERATIONS, ids=identifier)
def test_same_bits_for_any_number_of_threads(operation):
    x, w, bias, gy = operation.arrays((7, 12, 12, 48, 40))
    forward, data_gradient, weight_gradient = operation.passes(kernels)

    def every_pass():
        return [forward(x, w, bias, .2), data_gradient(gy, w, (12, 12), x, .2), *weight_gradient(x, gy, .2)]
    all_threads = numba.get_num_threads()
    expected = every_pass()
    try:
        numba.set_num_threads(1)
        alone = every_pass()
    finally:
        numba.set_num_threads(all_threads)
    for a, b, c in zip(expected, alone, every_pass(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_strided_weight():
    operation = OPERATIONS[1]
    x, w, bias, gy = operation.arrays((2, 6, 6, 8, 20))
    strided = np.ascontiguousarray(w.T).T
    assert_close(kernels.convolution_3x3(x, strided, bias), operation.in_float64(x, w, bias, gy)[0], np.float32, 2e-5)


def test_nan_is_not_hidden():
    x, w, _, _ = OPERATIONS[1].arrays((1, 4, 4, 3, 5))
    x[0, 1, 1, 0] = np.nan
    assert np.isnan(kernels.convolution_3x3(x, w, slope=0)).any()


def test_chainers_convolutions_are_the_plain_ones():
    """Of windows of pixels, and the adjoint of that."""
    _, _, strided, transposed, *_ = OPERATIONS
    x, w, bias, gy = strided.arrays((2, 6, 8, 3, 4), np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), (4, 4), (1, 2))
    expected = np.einsum('nhwcij,ocij->nhwo', windows[:, ::2, ::2], w)
    assert_close(strided.in_float64(x, w, bias, gy)[0], expected + bias, np.float64)
    back = transposed.in_float64(gy, w, np.zeros(3), x)[0]
    np.testing.assert_allclose(np.vdot(back, x), np.vdot(gy, expected), rtol=1e-12)
