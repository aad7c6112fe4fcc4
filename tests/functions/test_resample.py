from source.functions.resample import downsample, upsample

import numpy as np
import pytest
from chainer import gradient_check


@pytest.mark.parametrize('shape', [(2, 3, 4, 6), (1, 1, 5, 3), (1, 2, 1, 1)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_upsample(shape, dtype):
    x = np.random.RandomState(0).normal(size=shape).astype(dtype)
    y = upsample(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.array, np.kron(x, np.ones((2, 2))))


@pytest.mark.parametrize('shape', [(2, 3, 4, 6), (1, 1, 5, 3), (1, 2, 2, 2)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_downsample(shape, dtype):
    b, c, h, w = shape
    x = np.random.RandomState(0).normal(size=shape).astype(dtype)
    y = downsample(x)
    assert y.dtype == dtype
    blocks = x[:, :, :h // 2 * 2, :w // 2 * 2].reshape(b, c, h // 2, 2, w // 2, 2)
    np.testing.assert_allclose(y.array, blocks.mean((3, 5)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('function, y_shape', [(upsample, (1, 2, 10, 6)), (downsample, (1, 2, 2, 1))])
def test_gradients(function, y_shape):
    rng = np.random.RandomState(0)
    x, gy, ggx = rng.normal(size=(1, 2, 5, 3)), rng.normal(size=y_shape), rng.normal(size=(1, 2, 5, 3))
    gradient_check.check_backward(function, x, gy, dtype='d')
    gradient_check.check_double_backward(lambda x: function(x) ** 2, x, gy, ggx, dtype='d')
