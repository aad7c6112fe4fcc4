"""Values; gradients are checked in `test_on_twins` and, of odd sizes on the CPU's kernels, in `test_convolution_2d`."""
from source.functions.resample import downsample, upsample

import numpy as np
import pytest


@pytest.mark.parametrize('shape, dtype', [
    ((2, 3, 4, 6), np.float32), ((1, 1, 5, 3), np.float32), ((1, 2, 2, 2), np.float32), ((1, 2, 5, 4), np.float64)])
def test_values(shape, dtype):
    b, c, h, w = shape
    x = np.random.RandomState(0).normal(size=shape).astype(dtype)
    up, down, again = upsample(x), downsample(x), upsample(x[:, :, :1, :1])
    assert up.dtype == down.dtype == dtype
    np.testing.assert_array_equal(up.array, np.kron(x, np.ones((2, 2))))
    np.testing.assert_array_equal(again.array, np.kron(x[:, :, :1, :1], np.ones((2, 2))))
    blocks = x[:, :, :h // 2 * 2, :w // 2 * 2].reshape(b, c, h // 2, 2, w // 2, 2)
    np.testing.assert_allclose(down.array, blocks.mean((3, 5)), rtol=1e-5, atol=1e-7)
