from source.functions.weight_normalization import frobenius_normalization, weight_normalization

import chainer.functions as F
import numpy as np
import pytest
from chainer import Variable, gradient_check


def draw(shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape) * 3


@pytest.mark.parametrize('shape', [(4, 6), (6, 4), (1, 5), (5, 3, 3, 3)])
def test_eq_25_and_26(shape):
    """Rows of norm 1 that point where W's do; or the whole of W divided by its norm. And their gradients (eq. 36)."""
    W = draw(shape)
    rows = W.reshape(shape[0], -1)
    for function, expected in ((weight_normalization, rows / np.linalg.norm(rows, axis=1, keepdims=True)),
                               (frobenius_normalization, rows / np.sqrt((W ** 2).sum()))):
        np.testing.assert_allclose(function(Variable(W)).array, expected.reshape(shape), rtol=1e-12)
        gradient_check.check_backward(function, W, draw(shape, 1), dtype='d', rtol=1e-6, atol=1e-7)
        gradient_check.check_double_backward(function, W, draw(shape, 1), draw(shape, 2), dtype='d', rtol=1e-5,
                                             atol=1e-6)


@pytest.mark.parametrize('function', [weight_normalization, frobenius_normalization])
def test_zeros_stay_zero_with_a_finite_gradient(function):
    W = Variable(np.zeros((3, 4), 'f'))
    W_bar = function(W)
    F.sum(W_bar).backward()
    assert np.all(W_bar.array == 0) and np.isfinite(W.grad).all()
