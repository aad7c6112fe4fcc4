"""Chainer's own link hook for spectral normalization, step by step through some updates."""
from tests.links.sn_links import KINDS, draw_x, make

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.link_hooks import SpectralNormalization


def pair(name, Ip, factor, use_gamma):
    """Our link, and Chainer's with the hook, W, b and u alike."""
    kind = KINDS[name]
    ours = make(name, Ip=Ip, factor=factor, **({'use_gamma': True} if use_gamma else {}))
    theirs = kind.plain(*kind.args)
    theirs.W.array[...] = ours.W.array
    if name != 'embed_id':
        theirs.b.array[...] = ours.b.array
    theirs.add_hook(SpectralNormalization(n_power_iteration=Ip, eps=1e-12, factor=factor, use_gamma=use_gamma))
    theirs.W_u[...] = ours.u[0]
    return ours, theirs


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('Ip, factor, use_gamma', [(1, None, False), (3, None, False), (1, .5, False), (1, None, True),
                                                   (2, 2., True)])
def test_training_steps(name, Ip, factor, use_gamma):
    if use_gamma and KINDS[name].gamma_shape is None:
        pytest.skip('has no gamma')
    ours, theirs = pair(name, Ip, factor, use_gamma)
    optimizers = [chainer.optimizers.MomentumSGD(lr=.2).setup(link) for link in (ours, theirs)]
    W = ours.W.array.copy()
    for step in range(6):
        outputs = []
        for link, optimizer in zip((ours, theirs), optimizers, strict=True):
            x = draw_x(name, seed=step)
            y = link(x if name == 'embed_id' else chainer.Variable(x))
            outputs.append(y.array)
            link.cleargrads()
            F.mean((y - np.random.RandomState(step).normal(size=y.shape).astype('f')) ** 2).backward()
            optimizer.update()
        np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.u[0], theirs.W_u, atol=1e-5)
        for (path, param), (path_theirs, param_theirs) in zip(sorted(ours.namedparams()), sorted(theirs.namedparams()),
                                                              strict=True):
            assert path == path_theirs
            np.testing.assert_allclose(param.grad.ravel(), param_theirs.grad.ravel(), rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(param.array.ravel(), param_theirs.array.ravel(), rtol=1e-4, atol=1e-5)
    assert np.abs(ours.W.array - W).max() > 1e-3
    with chainer.using_config('train', False):
        np.testing.assert_allclose(ours(draw_x(name)).array, theirs(draw_x(name)).array, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.u[0], theirs.W_u, atol=1e-5)
