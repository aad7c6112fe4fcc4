from source.functions.spectral_normalization import spectral_normalization

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import gradient_check


def unit(x):
    return x / np.linalg.norm(x)


def draw(d_out=4, d_in=6):
    """A matrix, vectors after one round of power iteration, and a batch of inputs."""
    rng = np.random.RandomState(0)
    W, h = rng.normal(size=(d_out, d_in)), rng.normal(size=(7, d_in))
    v = unit(rng.normal(size=(1, d_out)) @ W)
    return W, unit(v @ W.T), v, h


def test_draw_is_not_converged():
    W, u, v, _ = draw()
    assert .3 < (u @ W @ v.T).item() < .99 * np.linalg.svd(W)[1][0]


@pytest.mark.parametrize('factor', [1., .5, 3.])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_forward(factor, dtype, rtol):
    W, u, v, _ = draw()
    W_bar = spectral_normalization(chainer.Variable(W.astype(dtype)), u.astype(dtype), v.astype(dtype), factor)
    assert W_bar.dtype == dtype
    np.testing.assert_allclose(W_bar.array, factor * W / (u @ W @ v.T), rtol=rtol)


@pytest.mark.parametrize('factor', [1., .5])
def test_spectral_norm_of_the_result(factor):
    W = draw()[0]
    left, _, right = np.linalg.svd(W)
    W_bar = spectral_normalization(chainer.Variable(W), left[:, :1].T, right[:1], factor)
    np.testing.assert_allclose(np.linalg.svd(W_bar.array)[1][0], factor, rtol=1e-12)


@pytest.mark.parametrize('factor', [1., .5])
def test_eq_12(factor):
    """(E[delta h^T] - lambda u v^T) / sigma with lambda = E[delta^T W_bar h], the mean over seven samples."""
    W, u, v, h = draw()
    target = np.random.RandomState(1).normal(size=(7, 4))
    W_variable = chainer.Variable(W)
    output = F.linear(h, spectral_normalization(W_variable, u, v, factor))
    V = F.sum((output - target) ** 4) / 7
    V.backward()

    sigma = (u @ W @ v.T).item()
    output = h @ (factor * W / sigma).T
    delta = 4 * (output - target) ** 3
    lambda_ = np.mean((delta * output).sum(1)) / factor
    expected = factor * (np.mean(delta[:, :, None] * h[:, None], 0) - lambda_ * u.T @ v) / sigma
    np.testing.assert_allclose(W_variable.grad, expected, rtol=1e-11)


@pytest.mark.parametrize('factor', [1., .5])
@pytest.mark.parametrize('shape', [(4, 6), (6, 4), (1, 5), (5, 1)])
def test_numerical_gradients(factor, shape):
    W, u, v, _ = draw(*shape)
    rng = np.random.RandomState(2)
    gy, ggW = rng.normal(size=shape), rng.normal(size=shape)

    def function(W):
        return spectral_normalization(W, u, v, factor)
    gradient_check.check_backward(function, W, gy, dtype='d', atol=1e-7, rtol=1e-6)
    gradient_check.check_double_backward(function, W, gy, ggW, dtype='d', atol=1e-6, rtol=1e-5)


def test_float32_gradient():
    W, u, v, h = draw()
    gW = []
    for dtype in (np.float32, np.float64):
        x = chainer.Variable(W.astype(dtype))
        y = spectral_normalization(x, u.astype(dtype), v.astype(dtype), 2.)
        y.grad = h[:4].astype(dtype)
        y.backward()
        assert x.grad.dtype == dtype
        gW.append(x.grad)
    np.testing.assert_allclose(*gW, rtol=1e-4, atol=1e-4)
