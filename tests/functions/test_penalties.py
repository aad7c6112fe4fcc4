"""Penalties against closed forms, decompositions and finite differences, in float64."""
from source.functions.activation import LeakyReLU
from source.functions.penalties import gradient_penalty, interpolate, orthonormal_penalty, spectral_norm_penalty

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import Variable, gradient_check

SHAPES = [(4, 6), (6, 4), (1, 5), (5, 3, 3, 3), (64, 3, 3, 3)]


def draw(shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape)


class Critic(chainer.Chain):
    """Small, smooth and conditional."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.W = chainer.Parameter(draw((5, 12)))
            self.w = chainer.Parameter(draw((5, 3), 1))

    def forward(self, x, y=None):
        h = F.tanh(F.matmul(F.reshape(x, (len(x), -1)), self.W, transb=True))
        column = np.zeros(len(x), int) if y is None else y
        return F.sum(h * F.embed_id(column.astype('i'), F.transpose(self.w)), axis=1, keepdims=True)


def numerical_penalty(dis, x, y, eps=1e-5):
    """(‖∇D(x̂)‖ − 1)², averaged, every derivative by central differences."""
    total = 0
    for i in range(len(x)):
        gradient = np.zeros(x[i].shape)
        for index in np.ndindex(*gradient.shape):
            for sign in (1, -1):
                moved = x.copy()
                moved[(i, *index)] += sign * eps
                gradient[index] += sign * dis(moved, y).array[i, 0] / (2 * eps)
        total += (np.linalg.norm(gradient) - 1) ** 2
    return total / len(x)


@pytest.mark.parametrize('y', [None, np.array([2, 0, 1, 1])])
def test_gradient_penalty(y):
    dis, x = Critic(), draw((4, 3, 2, 2), 2)
    penalty = gradient_penalty(dis, x, y)
    assert penalty.shape == ()
    np.testing.assert_allclose(penalty.array, numerical_penalty(dis, x, y), rtol=1e-8)
    if y is not None:
        assert abs(penalty.array - gradient_penalty(dis, x).array) > 1e-3
    gradient_check.check_backward(lambda: gradient_penalty(dis, x, y), (), None, list(dis.params()), dtype='d',
                                  rtol=1e-6, atol=1e-7)


def test_gradient_penalty_of_a_linear_critic():
    """∇D is w wherever x̂ lies: (‖w‖ − 1)², with gradient 2 (‖w‖ − 1) w / ‖w‖."""
    w = Variable(draw(12))
    penalty = gradient_penalty(lambda x, y: F.matmul(F.reshape(x, (len(x), -1)), F.reshape(w, (12, 1))),
                               draw((3, 3, 2, 2)))
    penalty.backward()
    norm = np.linalg.norm(w.array)
    np.testing.assert_allclose(penalty.array, (norm - 1) ** 2, rtol=1e-9)
    np.testing.assert_allclose(w.grad, 2 * (norm - 1) * w.array / norm, rtol=1e-9)


def test_gradient_penalty_where_the_critic_is_flat():
    """1, and no NaN in any gradient."""
    w = Variable(np.zeros((12, 1)))
    penalty = gradient_penalty(lambda x, y: F.matmul(F.reshape(x, (len(x), -1)), w), draw((2, 3, 2, 2)))
    penalty.backward()
    np.testing.assert_allclose(penalty.array, 1, atol=1e-5)
    assert np.isfinite(w.grad).all()


def test_eq_30():
    x_real, x_fake, epsilon = draw((3, 3, 2, 2)), draw((3, 3, 2, 2), 1), np.array([0., .25, 1.])
    x_hat = interpolate(x_real, x_fake, epsilon)
    np.testing.assert_array_equal(x_hat[0], x_fake[0])
    np.testing.assert_allclose(x_hat[1], .25 * x_real[1] + .75 * x_fake[1])
    np.testing.assert_array_equal(x_hat[2], x_real[2])


@pytest.mark.parametrize('shape', SHAPES)
def test_eq_14(shape):
    """‖WᵀW − I‖²_F itself, less what the larger Gram matrix adds; and Σ (σ² − 1)² over the singular values."""
    W = draw(shape)
    matrix = W.reshape(shape[0], -1)
    d_out, d_in = matrix.shape
    penalty = orthonormal_penalty(Variable(W)).array
    np.testing.assert_allclose(penalty, ((matrix.T @ matrix - np.eye(d_in)) ** 2).sum() - max(d_in - d_out, 0),
                               rtol=1e-9)
    np.testing.assert_allclose(penalty, ((np.linalg.svd(matrix, compute_uv=False) ** 2 - 1) ** 2).sum(), rtol=1e-9)
    gradient_check.check_backward(orthonormal_penalty, W, None, dtype='d', rtol=1e-6, atol=1e-6)


def test_eq_14_of_an_orthonormal_matrix():
    Q = np.linalg.qr(draw((6, 4)))[0]
    for W in (Q, Q.T):
        np.testing.assert_allclose(orthonormal_penalty(Variable(W)).array, 0, atol=1e-20)


@pytest.mark.parametrize('shape', SHAPES)
def test_spectral_norm_penalty(shape):
    """σ²/2 with gradient σ u₁v₁ᵀ."""
    W = Variable(draw(shape))
    U, S, Vt = np.linalg.svd(W.array.reshape(shape[0], -1))
    penalty = spectral_norm_penalty(W, U[:, :1].T, Vt[:1])
    penalty.backward()
    np.testing.assert_allclose(penalty.array, S[0] ** 2 / 2, rtol=1e-9)
    np.testing.assert_allclose(W.grad, (S[0] * np.outer(U[:, 0], Vt[0])).reshape(shape), rtol=1e-9, atol=1e-12)


def test_through_leaky_relu():
    """Piecewise linear: the gradient's gradient is through the slopes alone."""
    W, w, x = draw((5, 12)), draw((1, 5), 1), draw((4, 3, 2, 2), 2)
    V = Variable(W)
    penalty = gradient_penalty(lambda x, y: F.linear(LeakyReLU(.1)(F.linear(x, V)), w), x)
    slopes = np.where(x.reshape(4, -1) @ W.T > 0, 1, .1)
    norms = np.linalg.norm((slopes * w) @ W, axis=1)
    np.testing.assert_allclose(penalty.array, ((norms - 1) ** 2).mean(), rtol=1e-9)
