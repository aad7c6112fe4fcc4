"""Spectral norms of what the discriminator computes with, against a decomposition of each weight by hand."""
from unittest import mock

from dis_models.sncnn_32 import SNCNNDiscriminator
from source.extensions.spectral_norms import SpectralNorms, singular_values
from source.links.weights import effective_weights

import chainer
import numpy as np
import pytest

LAYERS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'l8']


def reported(dis):
    reporter = chainer.Reporter()
    with reporter.scope({}):
        SpectralNorms(dis)(mock.Mock())
        return dict(reporter.observation)


def norm(matrix):
    return np.sqrt(np.linalg.eigvalsh(matrix.astype(float) @ matrix.T.astype(float))[-1])


@pytest.mark.parametrize('name', ['none', 'layer', 'orthonormal'])
def test_plain_weights(name):
    dis = SNCNNDiscriminator(ch=2, norm=name)
    expected = {f'sigma/{layer}': norm(dis[layer].W.array.reshape(len(dis[layer].W), -1)) for layer in LAYERS}
    found = reported(dis)
    assert list(found) == list(expected)
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5)


def test_normalized_weights():
    """Rows of norm 1 before the decomposition; with a multiplier, of its size."""
    dis = SNCNNDiscriminator(ch=2, norm='weight')
    for layer in LAYERS:
        W = dis[layer].W.array.reshape(len(dis[layer].W), -1)
        expected = norm(W / np.linalg.norm(W, axis=1, keepdims=True))
        np.testing.assert_allclose(reported(dis)[f'sigma/{layer}'], expected, rtol=1e-5)
    dis = SNCNNDiscriminator(ch=2, norm='spectral', use_gamma=True)
    dis.c3.gamma.array[...] = 3.
    dis.c3.u[...] = np.linalg.svd(dis.c3.W.array.reshape(4, -1))[0][:, :1].T
    np.testing.assert_allclose(reported(dis)['sigma/c3'], 3., rtol=1e-5)


def test_spectral_normalization_is_seen_as_it_is_and_left_as_it_is():
    """With a poor u the spectral norm is above 1; reading it does not step u."""
    dis = SNCNNDiscriminator(ch=2, norm='spectral')
    u = dis.c5.u.copy()
    W = dis.c5.W.array.reshape(len(u[0]), -1).astype(float)
    v = u @ W / np.linalg.norm(u @ W)
    sigma = np.linalg.norm(W @ v.T)
    found = reported(dis)['sigma/c5']
    np.testing.assert_allclose(found, norm(W) / sigma, rtol=1e-5)
    assert found > 1.0001
    np.testing.assert_array_equal(dis.c5.u, u)


def test_all_singular_values():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    values = singular_values(dis)
    W = dis.c4.W.array.reshape(4, -1).astype(float)
    np.testing.assert_allclose(values['c4'] ** 2, np.linalg.eigvalsh(W @ W.T)[::-1], rtol=1e-4)
    assert [(path, W.shape) for path, W in effective_weights(dis)][-1] == ('/l8', (1, 16 * 16))


def test_not_finite():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    dis.c2.W.array[0, 0, 0, 0] = np.inf
    assert np.isnan(reported(dis)['sigma/c2']) and np.isfinite(reported(dis)['sigma/c3'])
