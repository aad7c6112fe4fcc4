from source.functions.layer_normalization import layer_normalize

import numpy as np
from chainer import Variable, gradient_check

RNG = np.random.RandomState(0)
X, BETA, GY = RNG.normal(3, 2, (3, 4, 2, 5)), RNG.normal(size=4), RNG.normal(size=(3, 4, 2, 5))


def test_each_sample_by_itself():
    for kwargs in ({}, {'eps': .1}):
        y = layer_normalize(Variable(X), Variable(BETA), **kwargs).array
        for x_i, y_i in zip(X, y, strict=True):
            expected = (x_i - x_i.mean()) / np.sqrt(x_i.var() + kwargs.get('eps', 2e-5)) + BETA[:, None, None]
            np.testing.assert_allclose(y_i, expected, rtol=1e-9, atol=1e-12)


def test_gradients():
    gradient_check.check_backward(layer_normalize, (X, BETA), GY, dtype='d', rtol=1e-5, atol=1e-6)
    gradient_check.check_double_backward(lambda x, beta: layer_normalize(x, beta) ** 2, (X, BETA), GY, (X[::-1], BETA),
                                         dtype='d', rtol=1e-4, atol=1e-5)
