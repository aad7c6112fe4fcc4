"""The twins of the GPU's convolutions against Chainer's own functions in float64."""
from source.kernels.reference import convolution as twins
from tests.kernels.convolution_operations import (
    BFLOAT16,
    OPERATIONS,
    check_passes,
    every_operation,
    identifier,
    tolerance,
)

import numpy as np
import pytest

# (B, H, W, C, O), slope and dtype: whole; odd sizes; a single pixel and channel; RGB at either end
CASES = [((2, 8, 8, 16, 24), .2, np.float64), ((2, 8, 8, 16, 24), 1, BFLOAT16), ((1, 5, 7, 3, 20), 0, np.float64),
         ((3, 9, 6, 10, 33), .2, BFLOAT16), ((2, 1, 1, 1, 1), 0, np.float32), ((2, 6, 4, 33, 3), .2, np.float32)]


@pytest.mark.parametrize('operation, shape, slope, dtype', every_operation(CASES), ids=identifier)
def test_passes(operation, shape, slope, dtype):
    folded = 2.25 if '3x3' in operation.name else 1  # unfolding adds up to as many rounded values
    check_passes(twins, operation, shape, slope, dtype, tolerance(dtype), folded * tolerance(dtype), has_relu=True)


@pytest.mark.parametrize('operation', OPERATIONS, ids=identifier)
def test_in_shape_may_be_left_out_of_even_sizes(operation):
    x, w, _, gy = operation.arrays((2, 6, 4, 3, 5), np.float64)
    _, data_gradient, _ = operation.passes(twins)
    np.testing.assert_array_equal(data_gradient(gy, w), data_gradient(gy, w, (6, 4)))


def test_bfloat16_rounds_weights_but_not_sums():
    """2048 products of 1 and a last one of 1/16 would be lost in bfloat16's 8 bits; only the result is rounded."""
    x = np.ones((1, 1, 1, 2049), BFLOAT16)
    w = np.full((1, 2049, 1, 1), 1 / 16, np.float32)
    w[:, 1::2] = -1 / 16
    assert twins.convolution_1x1(x, w).item() == 1 / 16
    assert twins.convolution_1x1(x[..., :1], np.full((1, 1, 1, 1), 1 + 2 ** -8, np.float32)).item() == 1
