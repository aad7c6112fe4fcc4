import os
import signal

import source  # noqa: F401  (repairs Chainer before any test imports it)

import chainer
import numpy as np
import pytest
from chainer.backends import cuda

os.environ.setdefault('MPLBACKEND', 'Agg')


CONFIGURATION = {}


def _has_gpu():
    try:
        return cuda.available and cuda.cupy.cuda.runtime.getDeviceCount() > 0
    except cuda.cupy.cuda.runtime.CUDARuntimeError:  # a driver without a device
        return False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """One process a core, or, for who wants to see the output (`-s`) or a debugger, this one alone."""
    if config.option.capture == 'no' or config.option.usepdb:
        return 0
    return min(len(os.sched_getaffinity(0)), 8)


def pytest_configure(config):
    config.option.randomly_reset_seed = False  # the order alone is random: `_same_draws_every_time`
    signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist's processes ignore it, and their children


def pytest_collection_modifyitems(items):
    CONFIGURATION.update(vars(chainer.global_config))  # once everything that is tested has been imported
    if not _has_gpu():
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(pytest.mark.skip(reason='needs a GPU and CuPy'))


@pytest.fixture(autouse=True)
def _cache_of_its_own(monkeypatch, tmp_path_factory):
    """No test reads or leaves statistics in the user's cache."""
    monkeypatch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))


@pytest.fixture(autouse=True)
def _same_draws_every_time():
    """Initial weights come from NumPy's global state, whatever ran before."""
    np.random.seed(0)


@pytest.fixture(autouse=True)
def _same_configuration():
    """A training switches Chainer's global configuration (`cpu_kernels`, `precision`) for its process.

    It is put back after each test too: a module's fixtures are made before this one.
    """
    vars(chainer.global_config).update(CONFIGURATION)
    yield
    vars(chainer.global_config).update(CONFIGURATION)
