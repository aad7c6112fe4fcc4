"""`host`: launchers of `source.kernels.cuda` run their kernels on the CPU, behind `tests.functions.cuda_on_host`."""
import functools
import sys

from source.kernels.cuda import launching
from tests.functions.cuda_on_host import FakeCupy

import pytest


@pytest.fixture(scope='session')
def _compiled(tmp_path_factory):
    """The stand-in for CuPy, and kernels that are compiled once."""
    fake = FakeCupy(tmp_path_factory.mktemp('cuda_kernels'))

    @functools.cache
    def module(*variant):
        return fake.RawModule(launching.cuda_source(*variant))

    @functools.cache
    def function(*args):
        return module(*args[:-1]).get_function(args[-1])
    return fake, function


@pytest.fixture
def host(_compiled, monkeypatch):
    fake, function = _compiled
    counters = {}
    monkeypatch.setitem(sys.modules, 'cupy', fake)
    monkeypatch.setattr(launching, '_function', function)
    monkeypatch.setattr(launching, '_counters', counters)
    yield fake
    assert not any(array.any() for arrays in counters.values() for array in arrays), 'a counter is not left at 0'
    fake.reverse = False
    fake.launches.clear()
    fake.forget_arrays()
