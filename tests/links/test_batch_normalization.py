"""The unconditional link is Chainer's, with the activation joined."""
from source.links.batch_normalization import BatchNormalization

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest


@pytest.mark.parametrize('shape', [(4, 3, 5, 2), (6, 3), (2, 3, 7), (1, 3, 2, 2)])
@pytest.mark.parametrize('activation', [None, F.relu, F.elu])
@pytest.mark.parametrize('train, finetune', [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-4), (np.float64, 1e-9)])
def test_against_chainer(shape, activation, train, finetune, dtype, rtol):
    results = []
    for network in (BatchNormalization, L.BatchNormalization):
        link = network(3, dtype=dtype)
        rng = np.random.RandomState(0)
        link.gamma.array[...], link.beta.array[...], link.avg_mean[...] = rng.normal(size=(3, 3))
        link.avg_var[...] = [.5, 1, 2]
        for _ in range(3):
            x = chainer.Variable(rng.normal(3, 2, shape).astype(dtype))
            link.cleargrads()
            with chainer.using_config('train', train):
                if network is BatchNormalization:
                    y = link(x, finetune=finetune, activation=activation)
                else:
                    y = link(x, finetune=finetune)
                    y = y if activation is None else activation(y)
            F.sum(y * np.random.RandomState(2).normal(size=shape).astype(dtype)).backward()
        results.append((y.array, x.grad, link.gamma.grad, link.beta.grad, link.avg_mean, link.avg_var, link.N))
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
