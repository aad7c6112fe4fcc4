"""Weights normalized together are those normalized one by one, in a handful of calls for a whole network."""
import functools

from source.config.build import build_models
from source.config.yaml_utils import load_config
from source.kernels.reference import spectral_normalization as twins
from source.links.joint_normalization import normalized_together
from source.links.sn_linear import SNLinear
from tests.gpu_road import configured
from tests.narrow import write_config

import chainer
import chainer.functions as F
import numpy as np
import pytest


class Net(chainer.Chain):
    """Reads `a` twice, `b` with a factor and two iterations, and `c` where it is told to."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.a, self.b, self.c = SNLinear(4, 4), SNLinear(4, 3, factor=2.5, Ip=2), SNLinear(4, 3)

    def forward(self, x, reads_c=True):
        h = self.b(F.relu(self.a(self.a(x))))
        return F.sum(h * self.c(x) if reads_c else h)


def made():
    np.random.seed(1)
    return Net()


def step(net, x, call=None, **kwargs):
    """The loss, gradients and u of all links after it."""
    net.cleargrads()
    with normalized_together(net, call):
        loss = net(x, **kwargs)
    loss.backward()
    return [loss.array, *(np.array(0) if p.grad is None else p.grad for _, p in sorted(net.namedparams())),
            *(link.u.copy() for link in (net.a, net.b, net.c))]


X = np.random.RandomState(0).normal(size=(5, 4)).astype(np.float32)


@pytest.mark.parametrize('train', [True, False])
def test_same_as_one_by_one(train):
    """Also of a weight read twice, of other factors and numbers of iterations, and where a weight is prepared in vain.

    In test mode no u moves.
    """
    together, alone = made(), made()
    before = [link.u.copy() for link in (together.a, together.b, together.c)]
    for reads_c in (True, True, False, True):  # the third call does not read what the second did
        with configured(train=train):
            with configured(kernel_set='reference'):
                actual = step(together, X, reads_c=reads_c)
            with configured(kernel_set='chainer', cpu_kernels=False):
                expected = step(alone, X, reads_c=reads_c)
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert train == any((u != link.u).any() for u, link in zip(before, (together.a, together.b, together.c)))


def test_a_weight_whose_result_is_not_used():
    """It counts as one with the gradient 0."""
    net = made()
    with configured(kernel_set='reference'):
        for _ in range(2):
            net.cleargrads()
            with normalized_together(net):
                used, _ = net.a.W_bar, net.c.W_bar
                loss = F.sum(used ** 3)
            loss.backward()
    assert np.abs(net.a.W.grad).max() > 0
    assert net.c.W.grad is None or not net.c.W.grad.any()


def _counted(calls, name, original, *args):
    calls.append((name, len(args[0])))
    return original(*args)


@pytest.mark.parametrize('changes', [{}, {'models.discriminator.args.ch': 8}])
def test_a_discriminator_takes_one_call(tmp_path, monkeypatch, changes):
    """From the second forward pass on, of each way to call it: all of its weights together."""
    _, dis = build_models(load_config(write_config(tmp_path, changes)), 'test')
    calls = []
    for name in ('power_iterations', 'normalized', 'gradients', 'store'):
        monkeypatch.setattr(twins, name, functools.partial(_counted, calls, name, getattr(twins, name)))
    x = np.random.RandomState(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    n = sum(hasattr(link, 'u') for link in dis.links())
    for _ in range(2):
        calls.clear()
        with configured(kernel_set='reference'), normalized_together(dis):
            y = dis(x, np.array([1, 2], np.int32))
        with configured(kernel_set='reference'):
            F.sum(y).backward()
    assert n > 5 and sorted(calls) == [('gradients', n), ('normalized', n), ('power_iterations', n), ('store', n)]
