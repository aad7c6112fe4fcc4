"""Penalties against closed forms, in float64; `tests/models` has the gradient penalty against differences."""
from source.functions.penalties import gradient_penalty, interpolate, orthonormal_penalty, spectral_norm_penalty

import chainer.functions as F
import numpy as np
import pytest
from chainer import Variable, gradient_check


def draw(shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape)


def test_gradient_penalty_where_the_critic_is_flat():
    """1, and no NaN in any gradient."""
    w = Variable(np.zeros((12, 1)))
    penalty = gradient_penalty(lambda x, y: F.matmul(F.reshape(x, (len(x), -1)), w), draw((2, 3, 2, 2)))
    penalty.backward()
    np.testing.assert_allclose(penalty.array, 1, atol=1e-5)
    assert np.isfinite(w.grad).all()


def test_eq_30():
    x_real, x_fake, epsilon = draw((3, 3, 2, 2)), draw((3, 3, 2, 2), 1), np.array([0., .25, 1.])
    expected = x_fake[0], .25 * x_real[1] + .75 * x_fake[1], x_real[2]
    np.testing.assert_allclose(interpolate(x_real, x_fake, epsilon), expected, rtol=1e-14)


@pytest.mark.parametrize('shape', [(4, 6), (6, 4), (1, 5), (64, 3, 3, 3)])
def test_eq_14(shape):
    """‖WᵀW − I‖²_F itself, less what the larger Gram matrix adds."""
    W = draw(shape)
    matrix = W.reshape(shape[0], -1)
    d_out, d_in = matrix.shape
    np.testing.assert_allclose(orthonormal_penalty(Variable(W)).array,
                               ((matrix.T @ matrix - np.eye(d_in)) ** 2).sum() - max(d_in - d_out, 0), rtol=1e-9)
    gradient_check.check_backward(orthonormal_penalty, W, None, dtype='d', rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('shape', [(4, 6), (1, 5), (64, 3, 3, 3)])
def test_spectral_norm_penalty(shape):
    """σ²/2 with gradient σ u₁v₁ᵀ."""
    W = Variable(draw(shape))
    U, S, Vt = np.linalg.svd(W.array.reshape(shape[0], -1))
    penalty = spectral_norm_penalty(W, U[:, :1].T, Vt[:1])
    penalty.backward()
    np.testing.assert_allclose(penalty.array, S[0] ** 2 / 2, rtol=1e-9)
    np.testing.assert_allclose(W.grad, (S[0] * np.outer(U[:, 0], Vt[0])).reshape(shape), rtol=1e-9, atol=1e-12)
