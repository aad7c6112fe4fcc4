"""Calls a function of the CUDA set and its twin on the same arrays."""
import importlib

from tests.kernels.cuda.sources import BFLOAT16

import numpy as np

DTYPES = [np.float32, BFLOAT16]


def draw(shape, dtype=np.float32, seed=0, shift=0.):
    return (np.random.RandomState(seed).normal(size=shape) + shift).astype(dtype)


def twin(module, name):
    return getattr(importlib.import_module(f'source.kernels.reference.{module}'), name)


class Runner:
    """Launches by `xp`, CuPy or its stand-in; `misaligned` moves arrays off multiples of 16 bytes."""

    def __init__(self, xp, misaligned=False):
        self.xp, self.misaligned = xp, misaligned

    def run(self, module, name, *args, **kwargs):
        function = getattr(importlib.import_module(f'source.kernels.cuda.{module}'), name)
        sent = [self._send(a) for a in args]
        results = function(*sent, **kwargs)
        return self._back(results), [self._back(a) for a in sent]

    def _send(self, argument):
        if isinstance(argument, list):
            return [self._send(a) for a in argument]
        if not isinstance(argument, np.ndarray):
            return argument
        if argument.dtype == BFLOAT16:  # in two steps, as few of CuPy's own functions know the type
            return self._send(argument.view(np.uint16)).view(BFLOAT16)
        if not self.misaligned or argument.size == 0:
            return self.xp.array(argument)
        flat = argument.reshape(-1)
        return self.xp.array(np.concatenate([flat[:1], flat]))[1:].reshape(argument.shape)

    def _back(self, result):
        if isinstance(result, list | tuple):
            return [self._back(a) for a in result]
        return result.get() if hasattr(result, 'get') else result


def copies(args):
    return [copies(a) if isinstance(a, list) else a.copy() if isinstance(a, np.ndarray) else a for a in args]


def flat(results):
    if isinstance(results, list | tuple):
        return [array for result in results for array in flat(result)]
    return [results] if isinstance(results, np.ndarray | np.generic) else []


def check(runner, module, name, *args, rtol=2e-6, atol=None, **kwargs):
    """The twin's results and what it leaves in its arguments, within rounding of the dtype. Returns the results.

    atol: by default rtol times the largest magnitude of each array. Unless rtol is 0, bfloat16 results may be one
    rounding apart.
    """
    for_twin = copies(args)
    expected = twin(module, name)(*for_twin, **kwargs)
    actual, left = runner.run(module, name, *copies(args), **kwargs)
    pairs = list(zip(flat(actual), flat(expected), strict=True)) + list(zip(flat(left), flat(for_twin), strict=True))
    for a, e in pairs:
        assert a.shape == e.shape and a.dtype == e.dtype, f'{a.dtype} {a.shape} for {e.dtype} {e.shape}'
        relative = 2 ** -7 if e.dtype == BFLOAT16 and rtol > 0 else rtol
        if e.dtype.kind in 'ui':
            np.testing.assert_array_equal(a, e)
            continue
        a, e = a.astype(np.float64), e.astype(np.float64)
        largest = np.abs(e).max() if e.size else 0.
        np.testing.assert_allclose(a, e, rtol=relative, atol=rtol * largest if atol is None else atol)
    return actual


def check_everywhere(host, module, name, *args, **kwargs):
    """In both orders of blocks and threads, with the same bits, and with arrays off 16 bytes."""
    first = check(Runner(host), module, name, *args, **kwargs)
    host.reverse = True
    second = check(Runner(host), module, name, *args, **kwargs)
    host.reverse = False
    for a, b in zip(flat(first), flat(second), strict=True):
        assert a.tobytes() == b.tobytes(), f'{name} depends on the order of blocks or threads'
    check(Runner(host, misaligned=True), module, name, *args, **kwargs)
