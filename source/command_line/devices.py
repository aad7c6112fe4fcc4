"""Choosing the device to run on."""
import chainer
from chainer.backends import cuda


class DeviceError(ValueError):
    """A device that this machine does not have."""


def n_gpus():
    """Number of CUDA devices that CuPy can use here; 0 without CuPy or without a driver."""
    if not cuda.available:
        return 0
    runtime = cuda.cupy.cuda.runtime
    try:
        return runtime.getDeviceCount()
    except runtime.CUDARuntimeError:  # no driver, or one too old for this CuPy
        return 0


def gpu_index(device):
    """The index of a Chainer device's GPU, −1 for the CPU."""
    return device.device.id if device.xp is cuda.cupy else -1


def get_device(gpu=None, said='--gpu'):
    """The Chainer device for a GPU's index, −1 for the CPU; by default the first GPU if there is one.

    Raises DeviceError for an index this machine lacks; `said` is what named it, for messages.
    """
    n = n_gpus()
    if gpu is None:
        gpu = 0 if n else -1
    if gpu < -1 or gpu >= n:
        have = f'GPUs 0 to {n - 1}' if n > 1 else 'GPU 0 only' if n else 'no GPU that CuPy can use'
        raise DeviceError(f'{said} {gpu}: expected -1 (CPU) or the index of a GPU; this machine has {have}')
    device = chainer.get_device('@numpy' if gpu == -1 else f'@cupy:{gpu}')
    device.use()
    return device
