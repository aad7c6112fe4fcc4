"""`host`: launchers of `source.kernels.cuda` run their kernels on the CPU, behind `tests.functions.cuda_on_host`."""
import functools
import importlib
import sys
from types import SimpleNamespace

from source.kernels.cuda import convolution, convolution_plans, cudnn_library, launching, plan_choices
from source.kernels.cuda.spectral_normalization import _ones
from tests.functions.cuda_on_host import FakeCupy, folder_of_the_run
from tests.kernels.cuda import both_sets
from tests.kernels.cuda.fake_cudnn import FakeCudnn
from tests.kernels.cuda.sources import variants

import pytest


@pytest.fixture(scope='session')
def _compiled(tmp_path_factory):
    """The stand-in for CuPy, and kernels that are compiled once."""
    fake = FakeCupy(folder_of_the_run(tmp_path_factory))

    @functools.cache
    def module(*variant):
        code = launching.cuda_source(*variant)
        assert variant in variants(variant[0]), f'{variant} is not among those that test_compiling compiles'
        return fake.RawModule(code)

    @functools.cache
    def function(*args):
        return module(*args[:-1]).get_function(args[-1])
    return fake, function


@pytest.fixture
def host(_compiled, monkeypatch):
    fake, function = _compiled
    counters = {}
    _ones.cache_clear()
    monkeypatch.setitem(sys.modules, 'cupy', fake)
    monkeypatch.setattr(launching, '_function', function)
    monkeypatch.setattr(launching, 'address', lambda array: array.ctypes.data)
    monkeypatch.setattr(launching, '_counters', counters)
    yield fake
    assert not any(array.any() for arrays in counters.values() for array in arrays), 'a counter is not left at 0'
    fake.reverse = False
    fake.launches.clear()
    fake.guarded.clear()
    _ones.cache_clear()  # those of a GPU are not NumPy's


@pytest.fixture
def check(request):
    """`check('module.function', *args)` compares a launcher with its twin; see `both_sets`."""
    if request.param == 'gpu':
        return functools.partial(both_sets.check, importlib.import_module('cupy'))
    request.getfixturevalue(request.param)  # host or cudnn
    return functools.partial(both_sets.check, request.getfixturevalue('host'))


@pytest.fixture
def cudnn(host, monkeypatch):
    """A stand-in for cuDNN beside that for CuPy."""
    fake, stream = FakeCudnn(), SimpleNamespace(ptr=7, capturing=False)
    stream.is_capturing = lambda: stream.capturing

    class Event:
        synchronize = staticmethod(lambda: None)

        def record(self):
            self.milliseconds = fake.milliseconds
    monkeypatch.setattr(host, 'cuda', SimpleNamespace(
        Device=lambda: SimpleNamespace(id=0), get_current_stream=lambda: stream, Event=Event,
        get_elapsed_time=lambda start, stop: stop.milliseconds - start.milliseconds,
        runtime=SimpleNamespace(getDeviceProperties=lambda _: {'name': b'Fake', 'multiProcessorCount': 1})))
    fake.stream = stream
    for module in (convolution_plans, cudnn_library):
        monkeypatch.setattr(module, 'frontend', lambda: fake)
    for module in (convolution, cudnn_library):
        monkeypatch.setattr(module, 'why_missing', lambda: None)
    for cache in ('_plans', '_handles', '_workspaces'):
        monkeypatch.setattr(convolution_plans, cache, {})
    plan_choices._choices.cache_clear()
    return fake
