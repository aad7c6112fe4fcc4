from types import SimpleNamespace

from source.miscs import devices
from source.miscs.devices import DeviceError, get_device, gpu_index, n_gpus

import chainer
import numpy as np
import pytest
from chainer.backends import cuda


class CUDARuntimeError(RuntimeError):
    pass


def cupy_with(n):
    """What of CuPy is asked: n devices, or no driver where n is None."""
    def count():
        if n is None:
            raise CUDARuntimeError('cudaErrorInsufficientDriver')
        return n
    runtime = SimpleNamespace(getDeviceCount=count, CUDARuntimeError=CUDARuntimeError)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))


@pytest.fixture
def gpus(monkeypatch):
    """Sets the number of GPUs; devices are then told by name only."""
    def set_n(n):
        monkeypatch.setattr(cuda, 'available', True)
        monkeypatch.setattr(cuda, 'cupy', cupy_with(n))
        monkeypatch.setattr(devices.chainer, 'get_device', lambda name: SimpleNamespace(name=name, use=lambda: None))
    return set_n


@pytest.mark.parametrize('n, expected', [(0, 0), (1, 1), (4, 4), (None, 0)])
def test_n_gpus(gpus, n, expected):
    gpus(n)
    assert n_gpus() == expected


def test_no_gpus_without_cupy(monkeypatch):
    monkeypatch.setattr(cuda, 'available', False)
    monkeypatch.setattr(cuda, 'cupy', object())
    assert n_gpus() == 0


@pytest.mark.parametrize('n, gpu, expected', [
    (0, None, '@numpy'), (None, None, '@numpy'), (1, None, '@cupy:0'), (4, None, '@cupy:0'), (4, 3, '@cupy:3'),
    (4, -1, '@numpy'), (0, -1, '@numpy')])
def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(gpus, n, gpu, expected):
    gpus(n)
    assert get_device(gpu).name == expected


@pytest.mark.parametrize('n, gpu, have', [
    (0, 0, 'no GPU that CuPy can use'), (None, 0, 'no GPU that CuPy can use'), (1, 3, 'GPU 0 only'),
    (1, 1, 'GPU 0 only'), (4, 4, 'GPUs 0 to 3'), (4, -2, 'GPUs 0 to 3')])
def test_a_gpu_that_is_not_there(gpus, n, gpu, have):
    gpus(n)
    with pytest.raises(DeviceError) as caught:
        get_device(gpu)
    assert str(caught.value) == (
        f'--gpu {gpu}: expected -1 (CPU) or the index of a GPU; this machine has {have}')


def test_the_cpu_really():
    device = get_device(-1)
    assert device.xp is np


@pytest.mark.gpu
def test_the_gpu_really():
    assert get_device(None).xp is cuda.cupy
    with pytest.raises(DeviceError):
        get_device(n_gpus())
    get_device(-1)


def test_gpu_index():
    assert gpu_index(chainer.get_device('@numpy')) == -1


@pytest.mark.gpu
def test_gpu_index_of_a_gpu():
    assert gpu_index(chainer.get_device('@cupy:0')) == 0
