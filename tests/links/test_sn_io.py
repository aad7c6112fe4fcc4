"""Lazy shapes, copies, devices and files of the spectrally normalized links."""
import copy
import pickle

from tests.links.sn_links import KINDS, WITH_GAMMA, draw_x, iterate, make, matrix, singular_values

import chainer
import numpy as np
import pytest
from chainer import serializers
from chainer.device_resident import DeviceResidentsVisitor

LAZY = [name for name, kind in KINDS.items() if kind.lazy is not None]


def all_options(name):
    return {'use_gamma': True} if name in WITH_GAMMA else {}


def arrays(link):
    serializer = serializers.DictionarySerializer()
    serializer.save(link)
    return {name: np.array(array) for name, array in serializer.target.items()}


def assert_same(first, second):
    first, second = arrays(first), arrays(second)
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], name)


@pytest.mark.parametrize('name', LAZY)
@pytest.mark.parametrize('use_gamma', [False, True])
def test_lazy(name, use_gamma):
    eager, lazy = make(name, use_gamma=use_gamma), make(name, lazy=True, use_gamma=use_gamma)
    assert lazy.W.array is None
    assert lazy.u.shape == eager.u.shape
    np.testing.assert_array_equal(lazy(draw_x(name)).array, eager(draw_x(name)).array)
    assert_same(lazy, eager)
    if use_gamma:
        np.testing.assert_allclose(lazy.gamma.array.item(), singular_values(name, lazy.W)[0], rtol=1e-6)
        assert lazy.gamma.shape == KINDS[name].gamma_shape


@pytest.mark.parametrize('name', LAZY)
def test_lazy_parameters_reach_the_optimizer(name):
    link = make(name, lazy=True, use_gamma=True)
    optimizer = chainer.optimizers.SGD(lr=.1).setup(link)
    y = link(chainer.Variable(draw_x(name)))
    before = arrays(link)
    link.cleargrads()
    chainer.functions.sum(y ** 2).backward()
    optimizer.update()
    for key in ('W', 'b', 'gamma'):
        assert np.abs(arrays(link)[key] - before[key]).max() > 1e-4, key


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('extension', ['npz', 'h5'])
@pytest.mark.parametrize('lazy', [False, True])
def test_files(name, extension, lazy, tmp_path):
    if lazy and name not in LAZY:
        pytest.skip('has no lazy shape')
    saved = make(name, **all_options(name))
    saved(draw_x(name))
    for param in saved.params():
        param.array += .1
    save, load = {
        'npz': (serializers.save_npz, serializers.load_npz),
        'h5': (serializers.save_hdf5, serializers.load_hdf5),
    }[extension]
    save(tmp_path / f'link.{extension}', saved)
    for order in (list, lambda names: list(reversed(list(names)))):  # Chainer's order is that of a set
        loaded = make(name, lazy=lazy, **all_options(name))
        loaded._params = dict.fromkeys(order(sorted(loaded._params)))
        loaded.u[...] = 0
        load(tmp_path / f'link.{extension}', loaded)
        assert_same(loaded, saved)
    np.testing.assert_array_equal(loaded(draw_x(name)).array, saved(draw_x(name)).array)
    assert_same(loaded, saved)


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('duplicate', [copy.deepcopy, lambda link: link.copy('copy'),
                                       lambda link: pickle.loads(pickle.dumps(link))])
@pytest.mark.parametrize('lazy', [False, True])
def test_copies_are_independent(name, duplicate, lazy):
    if lazy and name not in LAZY:
        pytest.skip('has no lazy shape')
    link = make(name, lazy=lazy, **all_options(name))
    other = duplicate(link)
    expected = other(draw_x(name)).array
    before = arrays(other)
    np.testing.assert_array_equal(link(draw_x(name)).array, expected)
    link.W.array *= 3
    link(draw_x(name))
    for key, array in arrays(other).items():
        np.testing.assert_array_equal(array, before[key], key)


@pytest.mark.parametrize('name', KINDS)
def test_shared_copies(name):
    """They compute with one W and step one u."""
    link = make(name)
    other = link.copy('share')
    M, u = matrix(name, link.W), link.u.copy()
    other(draw_x(name))
    link(draw_x(name))
    for each in (link, other):
        np.testing.assert_allclose(each.u, iterate(M, u, 2)[0], atol=1e-5)


@pytest.mark.parametrize('name', WITH_GAMMA)
def test_initialized_copies(name):
    link = make(name, use_gamma=True)
    draw = np.random.RandomState(7).normal
    link.W.initializer = lambda array: array.__setitem__(..., draw(size=array.shape))
    other = link.copy('init')
    assert np.abs(other.W.array - link.W.array).max() > .1
    np.testing.assert_allclose(other.gamma.array.item(), singular_values(name, other.W)[0], rtol=1e-6)
    np.testing.assert_allclose(link.gamma.array.item(), singular_values(name, link.W)[0], rtol=1e-6)


class Visitor(DeviceResidentsVisitor):
    """Replaces arrays as moving to another device does."""

    def visit_device_resident(self, device_resident):
        pass

    def visit_array(self, array):
        return array + 1

    def visit_variable(self, param):
        param.array = self.visit_array(param.array)


@pytest.mark.parametrize('name', KINDS)
def test_devices(name):
    """u moves with the parameters."""
    link = make(name, **all_options(name))
    before = arrays(link)
    link.device_resident_accept(Visitor())
    for key, array in arrays(link).items():
        np.testing.assert_array_equal(array, before[key] + 1, key)
    link.to_device('@numpy')
    assert isinstance(link.u, np.ndarray)
