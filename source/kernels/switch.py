"""Which kernels serve given arrays: those of the CPU, of the GPU, the GPU's twins in NumPy, or none but Chainer's own.

`chainer.config` holds what is wanted:

    cpu_kernels   whether NumPy arrays are served; at first the environment variable SNGAN_KERNELS
    kernel_set    'device' (default): the set of the arrays' device; 'reference': NumPy arrays take the GPU's road, on
                  the kernels' twins; 'chainer': no kernels at all
    precision     on the GPU's road: 'float32', 'tf32' (default; convolutions alone) or 'bfloat16' (activations)

`SNGAN_KERNELS=0`, a config's `cpu_kernels: false` or `chainer.using_config('cpu_kernels', False)` turn the CPU's off,
SNGAN_KERNELS=0 the GPU's too; then Chainer's own functions compute everything.
"""
import importlib
import importlib.util
import os

from source.kernels.compilation_notice import tell_of_compilation

import chainer
import numpy as np
from chainer.backends import cuda

ALLOWED = os.environ.get('SNGAN_KERNELS', '1') != '0'
PRECISIONS = 'float32', 'tf32', 'bfloat16'
chainer.global_config.cpu_kernels = ALLOWED
chainer.global_config.kernel_set = 'device'
chainer.global_config.precision = 'tf32'


class KernelSet:
    """The modules of `source.kernels.<name>`, each imported when it is first asked for."""

    def __init__(self, name):
        self.name = name
        self._offering = {}

    def offering(self, what):
        """The module that has the function `what`, 'module.function', or None."""
        try:
            return self._offering[what]
        except KeyError:
            module_name, function = what.split('.')
            path = f'source.kernels.{self.name}.{module_name}'
            if self.name == 'cpu':
                tell_of_compilation()
            module = importlib.import_module(path) if importlib.util.find_spec(path) else None
            found = self._offering[what] = module if hasattr(module, function) else None
            return found

    def __repr__(self):
        return f'KernelSet({self.name!r})'


CPU, CUDA, REFERENCE = KernelSet('cpu'), KernelSet('cuda'), KernelSet('reference')


def use_cpu_kernels(wanted):
    """Turns the kernels on, where the environment allows them, or off, for all that follows in this process.

    They limit BLAS to one thread when they load. Its bits depend on that number, so it is settled here, before the
    first product, rather than by the first convolution: a resumed run must not begin otherwise than it went on.
    """
    chainer.global_config.cpu_kernels = wanted and ALLOWED
    if chainer.global_config.cpu_kernels:
        importlib.import_module('source.kernels.cpu')


def use_precision(precision):
    """Sets the precision of all that follows in this process. Raises ValueError for another than PRECISIONS."""
    if precision not in PRECISIONS:
        raise ValueError(f'precision: expected one of {", ".join(PRECISIONS)}, got {precision!r}')
    chainer.global_config.precision = precision


def cpu_kernels_serve(*arrays):
    """Whether they are on and all arrays (or Variables, or None) are float32 in NumPy."""
    if not chainer.config.cpu_kernels:
        return False
    arrays = [a.array if isinstance(a, chainer.Variable) else a for a in arrays if a is not None]
    return all(isinstance(a, np.ndarray) and a.dtype == np.float32 for a in arrays)


def kernel_set(*arrays):
    """The KernelSet that serves these arrays (or Variables, or None), all of one device; or None.

    The CPU's serves float32, the GPU's and its twins float32 and bfloat16, the twins float64, too.
    """
    wanted = chainer.config.kernel_set
    if wanted == 'device' and cpu_kernels_serve(*arrays):
        return CPU
    if wanted == 'chainer' or not ALLOWED:
        return None
    arrays = [a.array if isinstance(a, chainer.Variable) else a for a in arrays if a is not None]
    types = {a.dtype.name for a in arrays}
    if all(isinstance(a, np.ndarray) for a in arrays):
        return REFERENCE if wanted == 'reference' and types <= {'float32', 'bfloat16', 'float64'} else None
    served = cuda.available and all(isinstance(a, cuda.ndarray) for a in arrays) and types <= {'float32', 'bfloat16'}
    return CUDA if served else None


def kernels(what, *arrays):
    """The module with the function `what`, 'module.function', in the set that serves these arrays.

    None where Chainer's own functions serve: no set does, or the one that does leaves this to Chainer.
    """
    found = kernel_set(*arrays)
    return None if found is None else found.offering(what)


def takes_gpu_road(*arrays):
    """Whether the GPU's kernels, or their twins, serve these arrays."""
    return kernel_set(*arrays) in (CUDA, REFERENCE)


def channels_last(x):
    """(B, C, H, W) → a C-contiguous (B, H, W, C), the same memory if it is so ordered already."""
    x = x.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else cuda.cupy.ascontiguousarray(x)


def channels_first(x):
    """(B, H, W, C) → (B, C, H, W), a view."""
    return x.transpose(0, 3, 1, 2)
