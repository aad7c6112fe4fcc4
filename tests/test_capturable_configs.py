"""Which configs are captured on a GPU: told by an iteration of each, narrow, on the kernels' twins.

What a recording cannot hold must not be reached: Chainer's functions that call cuBLAS (the census of functions), random
numbers and matrix products of the host, and copies from the host to the device.
"""
import re

from source.functions.capturable import Census
from tests.gpu_road import configured
from tests.test_configs import COMPARISON, CONFIGS, NARROW, build_all, data  # noqa: F401  (a fixture)

import numpy as np
import pytest

PATHS = {**{path.stem: path for path in sorted(CONFIGS.glob('*.yml'))}, **COMPARISON}
UNCAPTURED = {  # by what is in the name: gradient and other penalties, decompositions
    'gp', 'orthonormal', 'singular_value', 'spectral_norm_regularization'}
SEEN_BY_THE_CENSUS = {'cnn_cifar10/chainer_gan_lib': 'Deconvolution2DFunction'}  # 3×3 of stride 1: no kernel


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=pytest.mark.long) if re.search('dog_and_cat|imagenet|concat', name) else name
    for name in PATHS])
def test_every_config(name, data, monkeypatch):  # noqa: F811
    with configured(kernel_set='reference'):
        *_, updater = build_all(PATHS[name], data, NARROW)
        expected = not any(part in name for part in UNCAPTURED)
        assert (updater.reason_not_to_capture() is None) == expected
        if not expected:
            return
        updater.update()  # initializes what is lazy
        inputs = updater.live_inputs()
        drawn = [inputs(*request) for request in _requests(updater)]
        served = iter(drawn)
        updater.sync()
        if name not in SEEN_BY_THE_CENSUS:
            _refuse_the_host(monkeypatch, updater)
        with Census() as census:
            updater.iterate(lambda kind, n=None: next(served))
        assert (census.culprit and census.culprit.__name__) == SEEN_BY_THE_CENSUS.get(name)
        assert next(served, None) is None


def _requests(updater):
    asked = []

    def ask(kind, n=None):
        asked.append((kind, n))
        return live(kind, n)
    live = updater.live_inputs()
    updater.iterate(ask)
    return asked


def _refuse_the_host(monkeypatch, updater):
    """From here on the step may not draw, send arrays or leave the kernels for a matrix product of NumPy's."""
    def refuse(*args, **kwargs):
        raise AssertionError('the captured step left the device')
    for name in ('normal', 'uniform', 'randint', 'permutation'):
        monkeypatch.setattr(np.random, name, refuse)
    for name in ('dot', 'tensordot', 'einsum', 'matmul'):  # the twins write products as @
        monkeypatch.setattr(np, name, refuse)
    monkeypatch.setattr(type(updater.device), 'send', refuse)
