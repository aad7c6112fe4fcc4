"""The penalties: what they look at, draw, keep and add; the gradient's is in test_updater_with_penalties.py."""
from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from source.links.norms import NORMS
from source.penalties import PENALTIES, make_penalties

import chainer
import numpy as np
import pytest
from chainer import serializers

X_REAL, X_FAKE = (np.random.RandomState(k).uniform(-1, 1, (4, 3, 32, 32)).astype('f') for k in (1, 2))
Y = np.array([0, 2, 1, 1], np.int32)


def make(name, seed=0, **args):
    return make_penalties({name: args}, seed)[name]


def discriminator(norm='none'):
    np.random.seed(0)
    return SNResNetProjectionDiscriminator(ch=4, n_classes=3, norm=norm)


def matrices(dis):
    found = [link.W.array.reshape(len(link.W.array), -1).astype('d') for link in dis.links() if hasattr(link, 'W')]
    assert len(found) == 12
    return found


def test_each_draws_by_its_seed():
    values = [float(make('gradient', seed)(discriminator(), X_REAL, X_FAKE, Y).array) for seed in (0, 0, 1, (0, 5))]
    assert values[0] == values[1] and len(set(values)) == 3


@pytest.mark.parametrize('norm', NORMS)
def test_orthonormal_is_of_all_weights(norm):
    dis = discriminator(norm)
    expected = sum(((np.linalg.svd(W, compute_uv=False) ** 2 - 1) ** 2).sum() for W in matrices(dis))
    for weight, args in ((1, {}), (.5, {'weight': .5})):
        penalty = make('orthonormal', **args)(dis, None, None, None)
        np.testing.assert_allclose(penalty.array, weight * expected, rtol=1e-4, atol=1e-6)


def test_orthonormal_descends_to_orthonormal_weights():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    optimizer = chainer.optimizers.Adam(.01).setup(dis)
    penalty = make('orthonormal')
    for _ in range(400):
        dis.cleargrads()
        penalty(dis, None, None, None).backward()
        optimizer.update()
    for link in dis.links():
        if hasattr(link, 'W'):
            W = link.W.array.reshape(len(link.W.array), -1)
            np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), 1, atol=1e-2)


@pytest.mark.parametrize('norm', ['none', 'singular_values'])
def test_spectral_norm_is_of_all_weights(norm):
    """After power iterations from the last update's u."""
    dis, penalty = discriminator(norm), make('spectral_norm')
    penalty.setup(dis)
    expected = sum(np.linalg.norm(W, 2) ** 2 for W in matrices(dis)) / 2
    with chainer.no_backprop_mode():
        assert penalty(dis, None, None, None).array < .01 * .9 * expected
        for _ in range(200):
            value = penalty(dis, None, None, None).array
    np.testing.assert_allclose(value, .01 * expected, rtol=1e-4)


@pytest.mark.parametrize('name', PENALTIES)
def test_goes_on_after_a_snapshot(name, tmp_path):
    dis = discriminator()
    saved, loaded = make(name, 0), make(name, 1)
    for penalty in (saved, loaded):
        penalty.setup(dis)
    saved(dis, X_REAL, X_FAKE, Y)
    serializers.save_npz(tmp_path / 'penalty.npz', saved)
    serializers.load_npz(tmp_path / 'penalty.npz', loaded, strict=False)
    values = [penalty(dis, X_REAL, X_FAKE, Y).array for penalty in (saved, loaded)]
    assert values[0] == values[1]


def test_weights_by_default():
    weights = {name: make(name).weight for name in PENALTIES}
    assert weights == {'gradient': 10, 'orthonormal': 1, 'spectral_norm': .01}


@pytest.mark.parametrize('spec, message', [
    ({'gradiant': {}}, "penalties.gradiant: unknown key; did you mean 'gradient'?"),
    ({'gradient': {'rng': 1}}, 'penalties.gradient.rng: unknown key'),
    ({'gradient': {'wait': 1}}, "penalties.gradient.wait: unknown key; did you mean 'weight'?"),
    ({'gradient': {'weight': 0}}, 'penalties.gradient: weight must be above 0, got 0.0'),
    ({'orthonormal': {'weight': 'much'}}, "penalties.orthonormal.weight: expected float, found 'much'"),
    ('gradient', "penalties: expected names with their arguments, found 'gradient'"),
])
def test_refuses(spec, message):
    with pytest.raises(ValueError) as error:
        make_penalties(spec, 0)
    assert message in str(error.value) and '\n' not in str(error.value)
