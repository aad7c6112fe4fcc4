from source.functions.spectral_normalization import spectral_normalization

import chainer
import numpy as np
import pytest
from chainer import gradient_check


def unit(x):
    return x / np.linalg.norm(x)


def draw(d_out=4, d_in=6):
    """A matrix, and vectors after one round of power iteration, far from converged."""
    rng = np.random.RandomState(0)
    W = rng.normal(size=(d_out, d_in))
    v = unit(rng.normal(size=(1, d_out)) @ W)
    return W, unit(v @ W.T), v


@pytest.mark.parametrize('factor, dtype, rtol', [((), np.float32, 1e-5), ((.5,), np.float64, 1e-12)])
def test_forward(factor, dtype, rtol):
    W, u, v = draw()
    assert .3 < (u @ W @ v.T).item() < .99 * np.linalg.svd(W)[1][0]
    W_bar = spectral_normalization(chainer.Variable(W.astype(dtype)), u.astype(dtype), v.astype(dtype), *factor)
    assert W_bar.dtype == dtype
    np.testing.assert_allclose(W_bar.array, (*factor, 1)[0] * W / (u @ W @ v.T), rtol=rtol)


@pytest.mark.parametrize('factor, shape', [(1., (4, 6)), (.5, (6, 4)), (.5, (1, 5)), (3., (5, 1))])
def test_gradients(factor, shape):
    """Of the result with u and v held, as in eq. 10-12."""
    W, u, v = draw(*shape)
    rng = np.random.RandomState(2)
    gy, ggW = rng.normal(size=shape), rng.normal(size=shape)

    def function(W):
        return spectral_normalization(W, u, v, factor)
    gradient_check.check_backward(function, W, gy, dtype='d', atol=1e-7, rtol=1e-6)
    gradient_check.check_double_backward(function, W, gy, ggW, dtype='d', atol=1e-6, rtol=1e-5)
