"""What `tests/kernels/cuda` does not show of the twins of the GPU's convolutions, when it compares with them."""
from source.kernels.reference import convolution as twins
from tests.kernels.convolution_operations import BFLOAT16, OPERATIONS, assert_close, ids

import numpy as np
import pytest


@pytest.mark.parametrize('operation', OPERATIONS, ids=ids)
def test_float64(operation):
    """And the shape of x, which may be left out of even sizes."""
    x, w, bias, gy = operation.arrays((2, 6, 4, 3, 5), np.float64)
    forward, data_gradient, weight_gradient = operation.passes(twins)
    results = forward(x, w, bias), data_gradient(gy, w), *weight_gradient(x, gy)
    for actual, expected in zip(results, operation.in_float64(x, w, bias, gy), strict=True):
        assert_close(actual, expected, np.float64)


def test_bfloat16_rounds_weights_but_not_sums():
    """2048 products of 1 and a last one of 1/16 would be lost in bfloat16's 8 bits; only the result is rounded."""
    x = np.ones((1, 1, 1, 2049), BFLOAT16)
    w = np.full((1, 2049, 1, 1), 1 / 16, np.float32)
    w[:, 1::2] = -1 / 16
    assert twins.convolution_1x1(x, w).item() == 1 / 16
    assert twins.convolution_1x1(x[..., :1], np.full((1, 1, 1, 1), 1 + 2 ** -8, np.float32)).item() == 1
