"""What W_bar and u are, for every spectrally normalized link."""
from source.links import spectral_norm
from tests.links.sn_links import KINDS, WITH_GAMMA, converge, draw_x, iterate, make, matrix, singular_values

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('factor', [None, .5, 3.])
@pytest.mark.parametrize('fully_differentiable', [False, True])
def test_svd(name, factor, fully_differentiable):
    link = make(name, factor=factor, fully_differentiable=fully_differentiable)
    assert link.W.shape == link.W_bar.shape == KINDS[name].W_shape
    converge(link)
    np.testing.assert_allclose(singular_values(name, link.W_bar)[0], factor or 1, rtol=1e-5)
    expected = (factor or 1) * link.W.array / singular_values(name, link.W)[0]
    np.testing.assert_allclose(link.W_bar.array, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('name', WITH_GAMMA)
@pytest.mark.parametrize('factor', [None, .5])
def test_gamma(name, factor):
    """It starts at the exact sigma, whatever u; from then on it is a parameter like any other."""
    link = make(name, use_gamma=True, factor=factor)
    assert link.gamma.shape == KINDS[name].gamma_shape
    np.testing.assert_allclose(link.gamma.array.item(), singular_values(name, link.W)[0], rtol=1e-6)
    converge(link)
    np.testing.assert_allclose(link.W_bar.array, (factor or 1) * link.W.array, rtol=1e-4, atol=1e-5)
    link.gamma.array[...] = 2.5
    np.testing.assert_allclose(singular_values(name, link.W_bar)[0], 2.5 * (factor or 1), rtol=1e-5)
    link.W.array *= 3
    np.testing.assert_allclose(singular_values(name, link.W_bar)[0], 2.5 * (factor or 1), rtol=1e-5)


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('fully_differentiable', [False, True])
@pytest.mark.parametrize('Ip', [1, 2])
def test_steps_u_in_training_mode(name, Ip, fully_differentiable):
    """By Ip rounds each time the link computes; W_bar is that of the new u, stored or not."""
    link = make(name, Ip=Ip, fully_differentiable=fully_differentiable)
    assert link.u.shape == (1, KINDS[name].W_shape[KINDS[name].axis])
    stored, u = link.u, link.u.copy()
    M = matrix(name, link.W)
    assert np.abs(iterate(M, u, 3 * Ip)[0] - iterate(M, u, 3 * Ip - 1)[0]).max() > 1e-4
    for compute in (lambda: link(draw_x(name)), lambda: link.W_bar, lambda: link(draw_x(name))):
        compute()
        u, _ = iterate(M, u, Ip)
        np.testing.assert_allclose(link.u, u, atol=1e-5)
    assert link.u is stored
    assert link.u.dtype == np.float32


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('fully_differentiable', [False, True])
@pytest.mark.parametrize('Ip', [1, 3])
def test_freezes_u_in_test_mode(name, Ip, fully_differentiable):
    """But sigma is that after Ip rounds from the stored u, each time anew."""
    link = make(name, Ip=Ip, fully_differentiable=fully_differentiable)
    u, M = link.u.copy(), matrix(name, link.W)
    sigma = iterate(M, u, Ip)[1]
    with chainer.using_config('train', False):
        for _ in range(3):
            np.testing.assert_allclose(matrix(name, link.W_bar), M / sigma, rtol=1e-5)
            link(draw_x(name))
            np.testing.assert_array_equal(link.u, u)
    u /= np.linalg.norm(u)
    assert abs(np.linalg.norm(u @ M) / sigma - 1) > 1e-3
    assert abs(iterate(M, u, Ip + 1)[1] / sigma - 1) > 1e-4


@pytest.mark.parametrize('name', KINDS)
def test_computes_with_W_bar(name):
    """As Chainer's link does that has W / sigma for its weight, and the same bias."""
    kind, link = KINDS[name], make(name)
    sigma = iterate(matrix(name, link.W), link.u, 1)[1]
    plain = kind.plain(*kind.args)
    plain.W.array[...] = link.W.array / sigma
    if name != 'embed_id':
        plain.b.array[...] = link.b.array
        assert np.abs(link.b.array).max() > .1
    np.testing.assert_allclose(link(draw_x(name)).array, plain(draw_x(name)).array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name', KINDS)
def test_follows_W(name):
    """Once converged, one round goes part of the way to a moved W's spectral norm, and all of it to a multiple's."""
    link = make(name)
    converge(link)
    old = singular_values(name, link.W)[0]
    link.W.array *= 3
    np.testing.assert_allclose(singular_values(name, link.W_bar)[0], 1, rtol=1e-5)
    link.W.array /= 3
    link.W.array += .5 * np.random.RandomState(3).normal(size=link.W.shape)
    new = singular_values(name, link.W)[0]
    assert abs(new / old - 1) > .02
    estimated = np.abs(link.W.array).max() / np.abs(link.W_bar.array).max()
    assert abs(estimated - new) < .8 * abs(old - new)


@pytest.mark.parametrize('name', [name for name in KINDS if name != 'embed_id'])
def test_nobias(name):
    link = make(name, nobias=True)
    assert link.b is None
    assert {path for path, _ in link.namedparams()} == {'/W'}
    x = draw_x(name)
    np.testing.assert_allclose(link(np.zeros_like(x)).array, 0)


def test_ignore_label():
    link = make('embed_id', ignore_label=-1)
    y = link(np.array([2, -1], np.int32))
    np.testing.assert_array_equal(y.array[1], 0)
    assert np.abs(y.array[0]).max() > .1


@pytest.mark.parametrize('name', KINDS)
def test_names(name):
    link = make(name, **({} if name == 'embed_id' else {'use_gamma': True}))
    bias_and_gamma = set() if name == 'embed_id' else {'b', 'gamma'}
    assert {path for path, _ in link.namedparams()} == {f'/{key}' for key in {'W'} | bias_and_gamma}
    serializer = chainer.serializers.DictionarySerializer()
    serializer.save(link)
    assert set(serializer.target) == {'W', 'u'} | bias_and_gamma


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('kwargs, message', [({'Ip': 0}, 'Ip.*0'), ({'factor': 0.}, 'factor.*0'),
                                             ({'factor': -1.}, 'factor.*-1')])
def test_bad_arguments(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        KINDS[name].sn(*KINDS[name].args, **kwargs)


@pytest.mark.parametrize('name', KINDS)
def test_spectral_norm_of_a_link(name):
    """By SVD; the link's own estimate comes to it, and W_bar's is 1, or `factor`."""
    for link, expected in ((make(name), 1), (make(name, factor=.5), .5)):
        sigma, u = singular_values(name, link.W)[0], link.u.copy()
        assert spectral_norm(link) == pytest.approx(sigma, rel=1e-5)
        assert abs(spectral_norm(link, normalized=True) / expected - 1) > 1e-3  # u is not yet what it will be
        np.testing.assert_array_equal(link.u, u)
        converge(link)
        assert spectral_norm(link, normalized=True) == pytest.approx(expected, rel=1e-5)
        estimate = expected * np.linalg.norm(link.W.array) / np.linalg.norm(link.W_bar.array)
        assert estimate == pytest.approx(spectral_norm(link), rel=1e-5)
    plain = KINDS[name].plain(*KINDS[name].args)
    assert spectral_norm(plain) == spectral_norm(plain, normalized=True)
    assert spectral_norm(plain) == pytest.approx(singular_values(name, plain.W)[0], rel=1e-5)


def test_spectral_norm_of_what_has_none():
    link = make('linear')
    link.W.array[0, 0] = np.inf
    assert np.isnan(spectral_norm(link))
    for wrong, expected in ((chainer.Chain(), 'expected a link with a weight W, as SNConvolution2D has, got Chain'),
                            (make('linear', lazy=True), 'SNLinear has no weight yet')):
        with pytest.raises(ValueError, match=expected):
            spectral_norm(wrong)
