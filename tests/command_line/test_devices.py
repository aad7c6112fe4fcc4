from types import SimpleNamespace

from source.command_line import devices
from source.command_line.devices import DeviceError, get_device, gpu_index, n_gpus

import numpy as np
import pytest
from chainer.backends import cuda


@pytest.mark.parametrize('n, gpu, expected', [
    (0, None, '@numpy'), (None, None, '@numpy'), (1, None, '@cupy:0'), (4, None, '@cupy:0'), (4, 3, '@cupy:3'),
    (4, -1, '@numpy'), (0, -1, '@numpy'), (0, 0, 'no GPU that CuPy can use'), (1, 1, 'GPU 0 only'),
    (4, 4, 'GPUs 0 to 3'), (2, -2, 'GPUs 0 to 1')])
def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(monkeypatch, n, gpu, expected):
    """Devices are told by name only; n is None where there is no driver."""
    def count():
        if n is None:
            raise RuntimeError('cudaErrorInsufficientDriver')
        return n
    runtime = SimpleNamespace(getDeviceCount=count, CUDARuntimeError=RuntimeError)
    monkeypatch.setattr(cuda, 'available', True)
    monkeypatch.setattr(cuda, 'cupy', SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setattr(devices.chainer, 'get_device', lambda name: SimpleNamespace(name=name, use=lambda: None))
    assert n_gpus() == (n or 0)
    if expected.startswith('@'):
        assert get_device(gpu).name == expected
    else:
        with pytest.raises(DeviceError) as caught:
            get_device(gpu)
        assert str(caught.value) == (
            f'--gpu {gpu}: expected -1 (CPU) or the index of a GPU; this machine has {expected}')


def test_the_cpu_really(monkeypatch):
    monkeypatch.setattr(cuda, 'available', False)
    monkeypatch.setattr(cuda, 'cupy', object())
    device = get_device()
    assert (n_gpus(), device.xp, gpu_index(device)) == (0, np, -1)


@pytest.mark.gpu
def test_the_gpu_really():
    device = get_device()
    assert device.xp is cuda.cupy and gpu_index(device) == 0
    with pytest.raises(DeviceError):
        get_device(n_gpus())
    get_device(-1)
