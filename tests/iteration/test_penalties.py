"""The penalties: what they look at and add; the gradient's is in test_updater.py."""
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from source.iteration.penalties import make_penalties
from source.links.norms import NORMS

import chainer
import numpy as np
import pytest


def make(name, dis, **args):
    return make_penalties({name: args}, 0, dis)[name]


def discriminator(norm='none'):
    np.random.seed(0)
    return SNResNetProjectionDiscriminator(ch=4, n_classes=3, norm=norm)


def matrices(dis):
    found = [link.W.array.reshape(len(link.W.array), -1).astype('d') for link in dis.links() if hasattr(link, 'W')]
    assert len(found) == 12
    return found


@pytest.mark.parametrize('norm', NORMS)
def test_orthonormal_is_of_all_weights(norm):
    dis = discriminator(norm)
    expected = sum(((np.linalg.svd(W, compute_uv=False) ** 2 - 1) ** 2).sum() for W in matrices(dis))
    for weight, args in ((1, {}), (.5, {'weight': .5})):
        dis.cleargrads()
        penalty = make('orthonormal', dis, **args)(dis, None, None, None)
        penalty.backward()
        assert sum(param.grad is not None and param.grad.any() for param in dis.params()) >= 12
        np.testing.assert_allclose(penalty.array, weight * expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('norm', ['none', 'singular_values'])
def test_spectral_norm_is_of_all_weights(norm):
    """After power iterations from the last update's u."""
    dis = discriminator(norm)
    penalty = make('spectral_norm', dis)
    expected = sum(np.linalg.norm(W, 2) ** 2 for W in matrices(dis)) / 2
    with chainer.no_backprop_mode():
        assert penalty(dis, None, None, None).array < .01 * .9 * expected
        for _ in range(200):
            value = penalty(dis, None, None, None).array
    np.testing.assert_allclose(value, .01 * expected, rtol=1e-4)


@pytest.mark.parametrize('spec, message', [
    ({'gradient': {'rng': 1}}, 'penalties.gradient.rng: unknown key'),
    ({'gradient': {'weight': 0}}, 'penalties.gradient: weight must be above 0, got 0.0'),
    ({'orthonormal': {'weight': 'much'}}, "penalties.orthonormal.weight: expected float, found 'much'")])
def test_refuses(spec, message):
    with pytest.raises(ValueError) as error:
        make_penalties(spec, 0, discriminator())
    assert message in str(error.value) and '\n' not in str(error.value)
