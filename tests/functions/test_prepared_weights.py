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
from tests.gpu_road import configured
from tests.kernels.convolution_operations import BFLOAT16

import chainer
import chainer.functions as F
import numpy as np
import pytest

X = np.random.RandomState(0).normal(size=(2, 4, 6, 6)).astype(np.float32)


class Net(chainer.Chain):
    """Reads `a` twice, and `d` where it is told to."""

    def forward(self, x, reads_d=True):
        h = self.c(self.b(self.a.before_downsampling(F.relu(self.a(x)))))
        return self.d.after_upsampling(h) if reads_d else h


class Plain(Net):

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.a, self.b = Convolution2D(4, 4, 3, pad=1), Convolution2D(4, 5, 1, nobias=True)
            self.c, self.d = Deconvolution2D(5, 4, 4, 2, 1), Convolution2D(4, 3, 3, pad=1)


class Normalized(Net):

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.a, self.b = SNConvolution2D(4, 4, 3, pad=1), SNConvolution2D(4, 5, 1, nobias=True, Ip=2)
            self.c, self.d = SNDeconvolution2D(5, 4, 4, 2, 1), SNConvolution2D(4, 3, 3, pad=1, use_gamma=True)


@pytest.fixture(autouse=True)
def _on_the_gpus_road():
    with configured(kernel_set='reference'):
        yield


def made(net_class):
    np.random.seed(1)
    return net_class()


def step(net, call=None, x=X, **kwargs):
    net.cleargrads()
    together = normalized_together if isinstance(net, Normalized) else prepared_together
    with together(net, call):
        y = net(x, **kwargs)
    F.sum(y * y).backward()
    return [y.array, *(p.grad for _, p in sorted(net.namedparams()) if p.grad is not None)]


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def prepared(monkeypatch):
    """What is prepared in one go: lists of the operations' names."""
    calls = []

    def record(requests, dtype, original=twins.prepared):
        calls.append([name for name, _, _ in requests])
        return original(requests, dtype)
    monkeypatch.setattr(twins, 'prepared', record)
    return calls


def in_place(net):
    for param in net.params():
        param.array[...] *= .5


def another_array(net):
    for param in net.params():
        param.array = param.array * np.float32(.5)


def loaded(net):
    source = chainer.serializers.DictionarySerializer()
    other = made(type(net))
    in_place(other)
    source.save(other)
    chainer.serializers.NpzDeserializer(source.target).load(net)


def stepped(net):
    optimizer = chainer.optimizers.SGD(.1).setup(net)
    optimizer.update()


def biases_alone(net):
    net.a.b.array[...] += 1


def another_bias(net):
    net.a.b.array = net.a.b.array + 1


CHANGES = [in_place, another_array, loaded, stepped, biases_alone, another_bias]


@pytest.mark.parametrize('net_class', [Plain, Normalized])
@pytest.mark.parametrize('change', CHANGES)
def test_changed_weights_are_followed(net_class, change, monkeypatch):
    """Between two calls, by whatever means; the bits are those of weights that nobody prepares."""
    results = []
    for together in (True, False):
        if not together:
            monkeypatch.delattr(twins, 'prepared')
        net = made(net_class)
        results.append([step(net), step(net)])
        change(net)
        results[-1] += [step(net), step(net, reads_d=False), step(net)]
    for one, other in zip(*results, strict=True):
        assert_same(one, other)
    assert any((a != b).any() for a, b in zip(results[0][1], results[0][2], strict=True))


def test_in_one_go(prepared):
    """From the second call on; a weight read twice by one operation once; the gradients prepare nothing more."""
    net = made(Plain)
    step(net)
    assert [len(names) for names in prepared] == [1] * 5
    for _ in range(2):
        prepared.clear()
        step(net)
        assert [len(names) for names in prepared] == [5]
    prepared.clear()
    step(net, 'another call')
    assert [len(names) for names in prepared] == [1] * 5


def test_normalized_weights_in_one_go(prepared):
    """All but that with a multiplier, which is another array each time; `a`, normalized anew, is prepared anew."""
    net = made(Normalized)
    for _ in range(3):
        prepared.clear()
        step(net)
    assert [len(names) for names in prepared] == [4, 2, 1]


def test_nothing_is_prepared_in_vain_for_long(prepared):
    net = made(Plain)
    for _ in range(2):
        step(net)
    prepared.clear()
    for reads_d in (False, False, True, True):
        step(net, reads_d=reads_d)
    assert [len(names) for names in prepared] == [5, 4, 4, 1, 5]


def test_activations_of_another_type(prepared):
    """What was asked for in float32 is not prepared for bfloat16; and the results are those without preparing."""
    net = made(Plain)
    x = np.zeros((2, 6, 6, 4), BFLOAT16).transpose(0, 3, 1, 2)
    for dtypes in ((X, X), (x, x)):
        for value in dtypes:
            with chainer.no_backprop_mode(), prepared_together(net):
                y = net.c(net.b(value))
            assert y.dtype == value.dtype
    assert [len(names) for names in prepared] == [1, 1, 2, 1, 1, 2]


def test_nobody_keeps_weights_alive():
    """Neither what a call prepared nor what it normalized stays behind when its graph is gone."""
    net = made(Normalized)
    for _ in range(3):
        step(net)
    net.cleargrads()
    gc.collect()
    requests, = net._weights_prepared.values()
    parameters = {id(param.array) for param in net.params()}
    arrays = [request.reference() for request in requests if request.reference is not None]
    assert arrays and all(array is None or id(array) in parameters for array in arrays)


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net)), lambda net: net.copy()],
                         ids=['deepcopy', 'pickle', 'copy'])
def test_copies_prepare_their_own(prepared, copied):
    """A copy of a network that has been called: its weights are its own, and so is what it asks for."""
    net = made(Plain)
    for _ in range(2):
        step(net)
    net.cleargrads()
    other = copied(net)
    in_place(other)
    prepared.clear()
    results = [step(other), step(other), step(net)]
    assert [len(names) for names in prepared] == [1] * 5 + [5, 5]
    assert_same(results[0], results[1])
    fresh = made(Plain)
    in_place(fresh)
    assert_same(results[0], step(fresh))


def test_calls_within_calls(prepared):
    """As a generator's that is called while a discriminator's weights are being read."""
    outer, inner = made(Plain), made(Plain)
    for _ in range(2):
        prepared.clear()
        with prepared_together(outer):
            h = outer.a(X)
            with prepared_together(inner):
                inner.a(X)
            outer.b(h)
    assert [len(names) for names in prepared] == [2, 1]


def failing(net):
    with prepared_together(net):
        net.a(X)
        raise ValueError('d_is_missing')


def test_a_failing_call_leaves_no_trace(prepared):
    net = made(Plain)
    for _ in range(2):
        step(net)
    with pytest.raises(ValueError, match='d_is_missing'):
        failing(net)
    prepared.clear()
    net.b(X)  # outside of any call, and so alone
    step(net)
    assert [len(names) for names in prepared] == [1, 5]
