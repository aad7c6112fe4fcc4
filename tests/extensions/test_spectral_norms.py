"""Spectral norms of what the discriminator computes with, against a decomposition of each weight by hand."""
from unittest import mock

from dis_models.sncnn_32 import SNCNNDiscriminator
from source.extensions.spectral_norms import SpectralNorms, singular_values

import chainer
import numpy as np
import pytest

LAYERS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'l8']


def reported(dis):
    reporter = chainer.Reporter()
    with reporter.scope({}):
        SpectralNorms(dis)(mock.Mock())
        return dict(reporter.observation)


def matrix(dis, layer):
    W = dis[layer].W.array
    return W.reshape(len(W), -1).astype(float)


def norm(matrix):
    return np.sqrt(np.linalg.eigvalsh(matrix @ matrix.T)[-1])


@pytest.mark.parametrize('name', ['none', 'layer', 'orthonormal', 'weight'])
def test_plain_weights(name):
    """And rows of norm 1 before the decomposition."""
    dis = SNCNNDiscriminator(ch=2, norm=name)
    weights = {layer: matrix(dis, layer) for layer in LAYERS}
    if name == 'weight':
        weights = {layer: W / np.linalg.norm(W, axis=1, keepdims=True) for layer, W in weights.items()}
    expected = {f'sigma/{layer}': pytest.approx(norm(W), rel=1e-5) for layer, W in weights.items()}
    found = reported(dis)
    assert list(found) == list(expected) and found == expected
    np.testing.assert_allclose(
        singular_values(dis)['c4'] ** 2, np.linalg.eigvalsh(weights['c4'] @ weights['c4'].T)[::-1], rtol=1e-4)


def test_a_layer_that_is_not_finite_is_nan_and_the_others_are_there():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    dis.c2.W.array[0, 0, 0, 0] = np.inf
    assert np.isnan(reported(dis)['sigma/c2']) and np.isfinite(reported(dis)['sigma/c3'])


def test_spectral_normalization_is_seen_as_it_is_and_left_as_it_is():
    """With a poor u the spectral norm is above 1; reading it does not step u. With a multiplier it is of its size."""
    dis = SNCNNDiscriminator(ch=2, norm='spectral')
    u, W = dis.c5.u.copy(), matrix(dis, 'c5')
    v = u @ W / np.linalg.norm(u @ W)
    found = reported(dis)['sigma/c5']
    assert found == pytest.approx(norm(W) / np.linalg.norm(W @ v.T), rel=1e-5) and found > 1.0001
    np.testing.assert_array_equal(dis.c5.u, u)
    dis = SNCNNDiscriminator(ch=2, norm='spectral', use_gamma=True)
    dis.c3.gamma.array[...] = 3.
    dis.c3.u[...] = np.linalg.svd(dis.c3.W.array.reshape(4, -1))[0][:, :1].T
    assert reported(dis)['sigma/c3'] == pytest.approx(3., rel=1e-5)
