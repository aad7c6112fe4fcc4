from source.links.convolution_2d import Convolution2D
from source.links.sn_convolution_2d import SNConvolution2D

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer.utils import type_check


def pair(in_channels=3, **kwargs):
    """The link, its first size as given, and Chainer's with the same parameters."""
    link, plain = Convolution2D(in_channels, 5, 3, pad=1, **kwargs), L.Convolution2D(3, 5, 3, pad=1)
    x = chainer.Variable(np.random.RandomState(0).normal(size=(2, 3, 6, 4)).astype('f'))
    link(x)
    link.b.array[...] = np.arange(5)
    plain.W.array[...], plain.b.array[...] = link.W.array, link.b.array
    return link, plain, x


def repeat(x):
    return F.repeat(F.repeat(x, 2, axis=2), 2, axis=3)


@pytest.mark.parametrize('in_channels', [3, None])
@pytest.mark.parametrize('activation', [None, F.relu, F.elu])
@pytest.mark.parametrize('method, expected', [
    ('forward', lambda plain, x: plain(x)),
    ('after_upsampling', lambda plain, x: plain(repeat(x))),
    ('before_downsampling', lambda plain, x: F.average_pooling_2d(plain(x), 2)),
])
def test_against_chainer(in_channels, activation, method, expected):
    link, plain, x = pair(in_channels)
    y = getattr(link, method)(x, activation)
    y_expected = expected(plain, x if activation is None else activation(x))
    np.testing.assert_allclose(y.array, y_expected.array, rtol=1e-4, atol=1e-4)
    R = np.random.RandomState(1).normal(size=y.shape).astype('f')
    for output, model in ((y, link), (y_expected, plain)):
        model.cleargrads()
        F.sum(output * R).backward()
    for name in ('W', 'b'):
        np.testing.assert_allclose(getattr(link, name).grad, getattr(plain, name).grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('method', ['forward', 'after_upsampling', 'before_downsampling'])
def test_lazy(method):
    x = np.ones((2, 3, 6, 4), 'f')
    for link in (Convolution2D(None, 5, 3, pad=1), SNConvolution2D(None, 5, 3, pad=1)):
        getattr(link, method)(x)
        assert link.W.shape == (5, 3, 3, 3)


@pytest.mark.parametrize('method', ['forward', 'after_upsampling', 'before_downsampling'])
def test_spectrally_normalized(method):
    """As the plain link with W / sigma; u takes one step."""
    link, plain, x = pair()
    sn = SNConvolution2D(3, 5, 3, pad=1)
    sn.W.array[...], sn.b.array[...] = link.W.array, link.b.array
    M = link.W.array.reshape(5, -1).astype(np.float64)
    v = sn.u @ M / np.linalg.norm(sn.u @ M)
    u = v @ M.T / np.linalg.norm(v @ M.T)
    link.W.array /= (u @ M @ v.T).item()
    np.testing.assert_allclose(getattr(sn, method)(x).array, getattr(link, method)(x).array, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(sn.u, u, atol=1e-5)


@pytest.mark.parametrize('options', [{'dilate': 2}, {'groups': 2}, {'stride': 2}])
@pytest.mark.parametrize('method', ['forward', 'after_upsampling', 'before_downsampling'])
def test_other_options_of_chainers(options, method):
    """Are computed with or refused, never passed over."""
    x = np.random.RandomState(0).normal(size=(2, 4, 8, 8)).astype('f')
    try:
        link = Convolution2D(4, 6, 3, pad=1, **options)
        y = getattr(link, method)(x)
    except (ValueError, TypeError, type_check.InvalidType):
        return
    plain = L.Convolution2D(4, 6, 3, pad=1, **options)
    plain.W.array[...] = link.W.array
    x = repeat(x) if method == 'after_upsampling' else x
    y_expected = plain(x)
    y_expected = F.average_pooling_2d(y_expected, 2) if method == 'before_downsampling' else y_expected
    assert y.shape == y_expected.shape
    np.testing.assert_allclose(y.array, y_expected.array, rtol=1e-4, atol=1e-4)


def test_weights_held_constant():
    """Under this option the input gets its gradient and the parameters get none."""
    for link in (Convolution2D(3, 5, 3, pad=1), SNConvolution2D(3, 5, 3, pad=1, use_gamma=True)):
        x = chainer.Variable(np.random.RandomState(0).normal(size=(2, 3, 6, 4)).astype('f'))
        gradients = []
        for constant in (False, True):
            link.cleargrads()
            x.cleargrad()
            with chainer.using_config('constant_weights', constant), chainer.using_config('train', False):
                F.sum(link(x) ** 2).backward()
            gradients.append(x.grad)
            assert all((param.grad is None) == constant for param in link.params())
        np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5)
