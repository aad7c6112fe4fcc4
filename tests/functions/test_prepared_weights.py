"""Weights prepared together are those read one by one, in one go for a network's call, and never outlive it."""
import copy
import gc
import pickle

from source.functions.prepared_weights import prepared_together
from source.kernels.reference import convolution as twins
from source.links.convolution_2d import Convolution2D
from source.links.deconvolution_2d import Deconvolution2D
from source.links.joint_normalization import normalized_together
from source.links.sn_convolution_2d import SNConvolution2D
from source.links.sn_deconvolution_2d import SNDeconvolution2D
from tests.gpu_road import on_the_gpus_road  # noqa: F401
from tests.kernels.convolution_operations import BFLOAT16

import chainer
import chainer.functions as F
import numpy as np
import pytest

X = np.random.RandomState(0).normal(size=(2, 4, 6, 6)).astype(np.float32)


class Net(chainer.Chain):
    """Reads `a` twice, and `d` where it is told to."""

    def __init__(self, normalized):
        super().__init__()
        self.together = normalized_together if normalized else prepared_together
        conv, deconv = (SNConvolution2D, SNDeconvolution2D) if normalized else (Convolution2D, Deconvolution2D)
        with self.init_scope():
            self.a, self.b = conv(4, 4, 3, pad=1), conv(4, 5, 1, nobias=True, **({'Ip': 2} if normalized else {}))
            self.c, self.d = deconv(5, 4, 4, 2, 1), conv(4, 3, 3, pad=1, **({'use_gamma': True} if normalized else {}))

    def forward(self, x, reads_d=True):
        h = self.c(self.b(self.a.before_downsampling(F.relu(self.a(x)))))
        return self.d.after_upsampling(h) if reads_d else h


def made(normalized=False):
    np.random.seed(1)
    return Net(normalized)


def step(net, call=None, **kwargs):
    net.cleargrads()
    with net.together(net, call):
        y = net(X, **kwargs)
    F.sum(y * y).backward()
    return [y.array, *(p.grad for _, p in sorted(net.namedparams()) if p.grad is not None)]


def called_twice(normalized=False):
    net = made(normalized)
    for _ in range(2):
        step(net)
    return net


@pytest.fixture
def prepared(monkeypatch):
    """What is prepared in one go: numbers of operations."""
    calls = []

    def record(requests, dtype, original=twins.prepared):
        calls.append(len(requests))
        return original(requests, dtype)
    monkeypatch.setattr(twins, 'prepared', record)
    return calls


def in_place(net):
    for param in net.params():
        param.array[...] *= .5


def another_array(net):
    for param in net.params():
        param.array = param.array * np.float32(.5)


def biases_alone(net):
    net.a.b.array[...] += 1
    net.c.b.array = net.c.b.array + 1


@pytest.mark.parametrize('normalized, change', [
    (False, in_place), (False, another_array), (False, biases_alone), (True, in_place), (True, another_array)])
def test_changed_weights_are_followed(normalized, change, monkeypatch):
    """Between two calls, by whatever means; the bits are those of weights that nobody prepares."""
    results = []
    for together in (True, False):
        if not together:
            monkeypatch.delattr(twins, 'prepared')
        net = made(normalized)
        results.append([step(net), step(net)])
        change(net)
        results[-1] += [step(net), step(net, reads_d=False), step(net)]
    np.testing.assert_equal(*results)
    assert any((a != b).any() for a, b in zip(results[0][1], results[0][2], strict=True))


def test_in_one_go(prepared):
    """From the second call on; a weight read twice once; nothing more by gradients, nor in vain for long."""
    net = made()
    for kwargs, expected in (({}, [1] * 5), ({}, [5]), ({}, [5]), ({'call': 'another'}, [1] * 5),
                             ({'reads_d': False}, [5]), ({'reads_d': False}, [4]), ({}, [4, 1]), ({}, [5])):
        prepared.clear()
        step(net, **kwargs)
        assert prepared == expected, kwargs
    net = called_twice(normalized=True)
    prepared.clear()
    step(net)
    assert prepared == [4, 2, 1]  # `a`, normalized anew, anew; and `d`'s multiplier makes another array each time


def test_activations_of_another_type(prepared):
    """What was asked for in float32 is not prepared for bfloat16."""
    net = made()
    for x in (X, X, *[np.zeros((2, 6, 6, 4), BFLOAT16).transpose(0, 3, 1, 2)] * 2):
        with chainer.no_backprop_mode(), prepared_together(net):
            y = net.c(net.b(x))
        assert y.dtype == x.dtype
    assert prepared == [1, 1, 2, 1, 1, 2]


def test_nobody_keeps_weights_alive():
    """When a call's graph is gone, neither what it prepared nor what it normalized stays behind."""
    net = called_twice(normalized=True)
    step(net)
    net.cleargrads()
    gc.collect()
    requests, = net._weights_prepared.values()
    arrays = [request.reference() for request in requests if request.reference is not None]
    assert arrays and {id(a) for a in arrays if a is not None} <= {id(param.array) for param in net.params()}


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net)), lambda net: net.copy()],
                         ids=['deepcopy', 'pickle', 'copy'])
def test_copies_prepare_their_own(prepared, copied):
    net = called_twice()
    net.cleargrads()
    other, fresh = copied(net), made()
    in_place(other)
    in_place(fresh)
    prepared.clear()
    results = [step(other), step(other), step(net)]
    assert prepared == [1] * 5 + [5, 5]
    np.testing.assert_equal(results[0], results[1])
    np.testing.assert_equal(results[0], step(fresh))


def test_calls_within_calls(prepared):
    outer, inner = made(), made()
    for _ in range(2):
        prepared.clear()
        with prepared_together(outer):
            h = outer.a(X)
            with prepared_together(inner):
                inner.a(X)
            outer.b(h)
    assert prepared == [2, 1]


def test_a_failing_call_leaves_no_trace(prepared):
    net = called_twice()
    with pytest.raises(ValueError, match='ambiguous'):
        step(net, reads_d=np.zeros(2))  # after all but `d` have been read
    prepared.clear()
    net.b(X)  # outside of any call, and so alone
    step(net)
    assert prepared == [1, 5]
