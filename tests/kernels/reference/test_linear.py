"""The twins of the GPU's dense layers against float64 products."""
from source.kernels.reference.linear import linear, linear_data_gradient, linear_weight_gradient
from tests.kernels.convolution_operations import BFLOAT16, DTYPES, assert_close

import numpy as np
import pytest


@pytest.mark.parametrize('dtype', DTYPES, ids=str)
@pytest.mark.parametrize('b, i, o', [(5, 7, 11), (1, 1, 1), (64, 33, 1)])
def test_passes(dtype, b, i, o):
    random = np.random.RandomState(0)
    wide = np.dtype(np.float64 if dtype == np.float64 else np.float32)
    x, gy = (random.standard_normal(shape).astype(dtype) for shape in ((b, i), (b, o)))
    w, bias = (random.standard_normal(shape).astype(wide) for shape in ((o, i), (o,)))
    x_wide, gy_wide = x.astype(np.float64), gy.astype(np.float64)
    assert_close(linear(x, w, bias), x_wide @ w.T + bias, dtype)
    assert_close(linear(x, w), x_wide @ w.T, dtype)
    assert_close(linear_data_gradient(gy, w), gy_wide @ w, dtype)
    gw, gb = linear_weight_gradient(x, gy)
    assert_close(gw, gy_wide.T @ x_wide, wide)
    assert_close(gb, gy_wide.sum(axis=0), wide)


def test_result_of_another_type():
    x, w = np.ones((2, 3), np.float32), np.full((4, 3), 1 / 3 + 2 ** -9, np.float32)
    assert linear(x, w, dtype=BFLOAT16).dtype == BFLOAT16
    assert linear_data_gradient(np.ones((2, 4), BFLOAT16), w, dtype=np.float32).dtype == np.float32
