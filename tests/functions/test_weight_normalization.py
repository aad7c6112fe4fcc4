from source.functions.spectral_normalization import spectral_normalization
from source.functions.weight_normalization import frobenius_normalization, weight_normalization

import chainer.functions as F
import numpy as np
import pytest
from chainer import Variable, gradient_check

SHAPES = [(4, 6), (6, 4), (1, 5), (5, 3, 3, 3)]


def draw(shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape) * 3


@pytest.mark.parametrize('shape', SHAPES)
def test_eq_25(shape):
    """Rows of norm 1 that point where W's do, so squared singular values that sum to d_out (eq. 27)."""
    W = draw(shape)
    W_bar = weight_normalization(Variable(W)).array.reshape(shape[0], -1)
    rows = W.reshape(shape[0], -1)
    for row, row_bar in zip(rows, W_bar, strict=True):
        np.testing.assert_allclose(row_bar, row / np.linalg.norm(row), rtol=1e-12)
    np.testing.assert_allclose((np.linalg.svd(W_bar, compute_uv=False) ** 2).sum(), shape[0], rtol=1e-12)


@pytest.mark.parametrize('shape', SHAPES)
def test_eq_26(shape):
    W = draw(shape)
    W_bar = frobenius_normalization(Variable(W)).array
    np.testing.assert_allclose(W_bar, W / np.sqrt((W ** 2).sum()), rtol=1e-12)
    singular_values = np.linalg.svd(W_bar.reshape(shape[0], -1), compute_uv=False)
    np.testing.assert_allclose((singular_values ** 2).sum(), 1, rtol=1e-12)


@pytest.mark.parametrize('function', [weight_normalization, frobenius_normalization])
@pytest.mark.parametrize('shape', SHAPES)
def test_gradients(function, shape):
    gradient_check.check_backward(function, draw(shape), draw(shape, 1), dtype='d', rtol=1e-6, atol=1e-7)
    gradient_check.check_double_backward(function, draw(shape), draw(shape, 1), draw(shape, 2), dtype='d', rtol=1e-5,
                                         atol=1e-6)


@pytest.mark.parametrize('function', [weight_normalization, frobenius_normalization])
def test_zeros_stay_zero_with_a_finite_gradient(function):
    W = Variable(np.zeros((3, 4), 'f'))
    W_bar = function(W)
    F.sum(W_bar).backward()
    assert np.all(W_bar.array == 0) and np.isfinite(W.grad).all()


def gradient_through(normalize, W, h, target):
    """The gradient with respect to W of V = mean_b ‖W̄h − target‖², and with respect to W̄: Ê[δhᵀ]."""
    W = Variable(W)
    W_bar = normalize(W)
    output = F.matmul(h, W_bar, transb=True)
    F.mean(F.sum((output - target) ** 2, axis=1)).backward()
    delta = 2 * (output.array - target)
    return W.grad, np.einsum('bo,bi->oi', delta, h) / len(h), W_bar.array


@pytest.fixture
def example():
    rng = np.random.RandomState(3)
    return rng.normal(size=(4, 6)), rng.normal(size=(5, 6)), rng.normal(size=(5, 4))


def test_eq_36(example):
    """(E[δhᵀ] − trace(E[δhᵀ]ᵀ W̄) W̄) / ‖W‖_F."""
    grad, of_W_bar, W_bar = gradient_through(frobenius_normalization, *example)
    expected = (of_W_bar - np.trace(of_W_bar.T @ W_bar) * W_bar) / np.linalg.norm(example[0])
    np.testing.assert_allclose(grad, expected, rtol=1e-9)


def test_eq_37(example):
    """(E[δhᵀ] − trace(E[δhᵀ]ᵀ W̄) u₁v₁ᵀ) / σ(W), with exact singular vectors."""
    U, S, Vt = np.linalg.svd(example[0])
    grad, of_W_bar, W_bar = gradient_through(lambda W: spectral_normalization(W, U[:, :1].T, Vt[:1]), *example)
    expected = (of_W_bar - np.trace(of_W_bar.T @ W_bar) * np.outer(U[:, 0], Vt[0])) / S[0]
    np.testing.assert_allclose(grad, expected, rtol=1e-9)


def test_eq_36_row_by_row(example):
    """Weight normalization's gradient is eq. 36 of each row by itself, the row being all of W."""
    grad, of_W_bar, W_bar = gradient_through(weight_normalization, *example)
    for i, w in enumerate(example[0]):
        expected = (of_W_bar[i] - of_W_bar[i] @ W_bar[i] * W_bar[i]) / np.linalg.norm(w)
        np.testing.assert_allclose(grad[i], expected, rtol=1e-9)
