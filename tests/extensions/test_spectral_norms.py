from dis_models.sncnn_32 import SNCNNDiscriminator
from source.extensions.spectral_norms import SpectralNorms
from source.links.weights import singular_values
from tests.extensions.reporting import reported

import numpy as np
import pytest


def matrix(dis, layer):
    W = dis[layer].W.array
    return W.reshape(len(W), -1).astype(float)


def squared(matrix):
    """Squares of its singular values, descending."""
    return np.linalg.eigvalsh(matrix @ matrix.T)[::-1]


@pytest.mark.parametrize('name', ['none', 'layer', 'orthonormal', 'weight'])
def test_spectral_norms_of_plain_weights(name):
    """And rows of norm 1 before the decomposition. A layer that is not finite is NaN, and the others are there."""
    dis = SNCNNDiscriminator(ch=2, norm=name)
    weights = {layer: matrix(dis, layer) for layer in ('c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'l8')}
    if name == 'weight':
        weights = {layer: W / np.linalg.norm(W, axis=1, keepdims=True) for layer, W in weights.items()}
    expected = {f'sigma/{layer}': pytest.approx(squared(W)[0] ** .5, rel=1e-5) for layer, W in weights.items()}
    found = reported(SpectralNorms(dis))
    assert list(found) == list(expected) and found == expected
    np.testing.assert_allclose(singular_values(dis)['c4'] ** 2, squared(weights['c4']), rtol=1e-4)
    dis.c2.W.array[0, 0, 0, 0] = np.nan if name == 'weight' else np.inf
    found = reported(SpectralNorms(dis))
    assert np.isnan(found['sigma/c2']) and np.isfinite(found['sigma/c3'])


def test_spectral_normalization_is_seen_as_it_is_and_left_as_it_is():
    """With a poor u the spectral norm is above 1; reading it does not step u. With a multiplier it is of its size."""
    dis = SNCNNDiscriminator(ch=2, norm='spectral')
    u, W = dis.c5.u.copy(), matrix(dis, 'c5')
    v = u @ W / np.linalg.norm(u @ W)
    found = reported(SpectralNorms(dis))['sigma/c5']
    assert found == pytest.approx(squared(W)[0] ** .5 / np.linalg.norm(W @ v.T), rel=1e-5) and found > 1.0001
    np.testing.assert_array_equal(dis.c5.u, u)
    dis = SNCNNDiscriminator(ch=2, norm='spectral', use_gamma=True)
    dis.c3.gamma.array[...] = 3.
    dis.c3.u[...] = np.linalg.svd(matrix(dis, 'c3'))[0][:, :1].T
    assert reported(SpectralNorms(dis))['sigma/c3'] == pytest.approx(3., rel=1e-5)
