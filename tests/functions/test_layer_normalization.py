from source.functions.layer_normalization import layer_normalize

import chainer.functions as F
import numpy as np
from chainer import Variable, gradient_check

RNG = np.random.RandomState(0)
X, BETA, GY = RNG.normal(3, 2, (3, 4, 2, 5)), RNG.normal(size=4), RNG.normal(size=(3, 4, 2, 5))


def test_each_sample_by_itself():
    y = layer_normalize(Variable(X), Variable(BETA)).array
    for x_i, y_i in zip(X, y, strict=True):
        expected = (x_i - x_i.mean()) / np.sqrt(x_i.var() + 2e-5) + BETA[:, None, None]
        np.testing.assert_allclose(y_i, expected, rtol=1e-9, atol=1e-12)


def test_is_chainers_with_all_multipliers_one():
    n = X[0].size
    expected = F.layer_normalization(X.reshape(3, n), np.ones(n), np.zeros(n), eps=2e-5).array.reshape(X.shape)
    np.testing.assert_allclose(layer_normalize(Variable(X), np.zeros(4)).array, expected, rtol=1e-9, atol=1e-12)


def test_gradients():
    gradient_check.check_backward(layer_normalize, (X, BETA), GY, dtype='d', rtol=1e-5, atol=1e-6)
    gradient_check.check_double_backward(lambda x, beta: layer_normalize(x, beta) ** 2, (X, BETA), GY, (X[::-1], BETA),
                                         dtype='d', rtol=1e-4, atol=1e-5)
