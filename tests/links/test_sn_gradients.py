"""Gradients through the spectrally normalized links, in float64."""
from tests.links.sn_links import KINDS, converge, draw_x, make

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import gradient_check


def as_input(x):
    return chainer.Variable(x) if x.dtype.kind == 'f' else x


def loss(link, x):
    y = link(x)
    return F.sum(np.random.RandomState(4).normal(size=y.shape) * y ** 2)


def test_eq_12():
    """(E[delta h^T] - lambda u v^T) / sigma, lambda = E[delta^T W_bar h], far from convergence."""
    link, h = make('linear', np.float64, nobias=True), draw_x('linear', np.float64)
    W, u = link.W.array, link.u[0].astype(np.float64)
    target = np.random.RandomState(4).normal(size=(3, 4))
    link.cleargrads()
    F.mean(F.sum((link(h) - target) ** 2, axis=1)).backward()

    v = W.T @ u / np.linalg.norm(W.T @ u)
    u = W @ v / np.linalg.norm(W @ v)
    sigma = u @ W @ v
    output = h @ W.T / sigma
    delta = 2 * (output - target)
    lambda_ = np.mean((delta * output).sum(1))
    expected = (np.einsum('bo,bi->oi', delta, h) / 3 - lambda_ * np.outer(u, v)) / sigma
    np.testing.assert_allclose(link.W.grad, expected, rtol=1e-9, atol=1e-12)
    assert sigma < .99 * np.linalg.svd(W)[1][0]


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('options', [{}, {'factor': .5}, {'use_gamma': True}])
def test_numerical_at_convergence(name, options):
    """There sigma does not change with u and v, so that differences through the whole link see the same gradient."""
    if 'use_gamma' in options and KINDS[name].gamma_shape is None:
        pytest.skip('has no gamma')
    link, x = make(name, np.float64, **options), draw_x(name, np.float64)
    converge(link)
    with chainer.using_config('train', False):
        if name == 'embed_id':
            gradient_check.check_backward(lambda: loss(link, x), (), None, link.W, dtype='d', rtol=1e-5, atol=1e-6)
        else:
            gradient_check.check_backward(lambda x: loss(link, x), x, None, list(link.params()), dtype='d', rtol=1e-5,
                                          atol=1e-6)


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('Ip', [1, 2])
def test_fully_differentiable(name, Ip):
    """Differences through the whole power iteration, far from convergence, where holding u and v is another thing."""
    grads = {}
    for fully_differentiable in (True, False):
        link = make(name, np.float64, Ip=Ip, fully_differentiable=fully_differentiable)
        x = draw_x(name, np.float64)
        link.cleargrads()
        with chainer.using_config('train', False):
            loss(link, as_input(x)).backward()
            grads[fully_differentiable] = link.W.grad
            if fully_differentiable:
                direction = np.random.RandomState(5).normal(size=link.W.shape)
                W, t, along = link.W.array.copy(), 1e-6, []
                for sign in (1, -1):
                    link.W.array[...] = W + sign * t * direction
                    along.append(loss(link, x).array)
                np.testing.assert_allclose((link.W.grad * direction).sum(), (along[0] - along[1]) / (2 * t), rtol=1e-6)
    assert np.linalg.norm(grads[True] - grads[False]) > 1e-3 * np.linalg.norm(grads[True])


@pytest.mark.parametrize('name', [name for name in KINDS if name != 'embed_id'])
def test_gradient_penalty(name):
    """Second derivatives, as penalties on the input's gradient take them, by differences of the first."""
    link, x = make(name, np.float64), draw_x(name, np.float64)
    converge(link)
    direction = np.random.RandomState(5).normal(size=link.W.shape)

    def penalty():
        variable = chainer.Variable(x)
        g, = chainer.grad([loss(link, variable)], [variable], enable_double_backprop=True)
        return F.sum(g ** 2)
    with chainer.using_config('train', False):
        link.cleargrads()
        penalty().backward()
        W, t, along = link.W.array.copy(), 1e-6, []
        for sign in (1, -1):
            link.W.array[...] = W + sign * t * direction
            along.append(penalty().array)
    np.testing.assert_allclose((link.W.grad * direction).sum(), (along[0] - along[1]) / (2 * t), rtol=1e-5)


def test_deconvolution_of_an_input_without_gradient():
    """Chainer 7.8.1 alone fails here: it takes the arrays for their shapes."""
    link, x = make('deconvolution_2d', np.float64), draw_x('deconvolution_2d', np.float64)
    grads = []
    with chainer.using_config('train', False):
        for given in (x, chainer.Variable(x)):
            link.cleargrads()
            loss(link, given).backward()
            grads.append(link.W.grad)
    np.testing.assert_allclose(*grads, rtol=1e-12)
