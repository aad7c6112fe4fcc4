"""Calls a function of the CUDA set and its twin on the same arrays."""
import importlib
import itertools

from tests.kernels.convolution_operations import BFLOAT16, ids

import numpy as np
import pytest

DTYPES = [np.float32, BFLOAT16]


def draw(shape, dtype=np.float32, seed=0, shift=0.):
    return (np.random.RandomState(seed).normal(size=shape) + shift).astype(dtype)


def places(names, cases, large=(), host='host'):
    """Parametrizes `check` (of conftest.py) and `names`: cases for the host and a GPU, large ones for a GPU."""
    if ',' not in names:
        cases, large = ([(case,) for case in group] for group in (cases, large))
    on_gpu = [pytest.param('gpu', *case, marks=pytest.mark.gpu) for case in (*cases, *large)]
    return pytest.mark.parametrize(f'check, {names}', [(host, *case) for case in cases] + on_gpu, indirect=['check'],
                                   ids=ids)


def function_of(kernel_set, call):
    """The function of `call`, 'module.function'."""
    module, name = call.split('.')
    return getattr(importlib.import_module(f'source.kernels.{kernel_set}.{module}'), name)


def check(xp, call, *args, rtol=2e-6, gpu_rtol=None, **kwargs):
    """A launcher against its twin, by CuPy or its stand-in `xp`: twice with the same bits, and off 16 bytes."""
    on_host = hasattr(xp, 'reverse')
    rtol = rtol if on_host or gpu_rtol is None else gpu_rtol
    results = []
    for reverse, misaligned in ((False, False), (True, False), (False, True)):
        if on_host:
            xp.reverse = reverse  # the order of blocks and threads
        results.append(_compared(xp, misaligned, call, args, rtol, **kwargs))
    for a, b in zip(*results[:2], strict=True):
        assert a.tobytes() == b.tobytes(), f'{call} gives other bits the second time'


def _compared(xp, misaligned, call, args, rtol, atol=None, of_largest=None, **kwargs):
    """The launcher's results; they and what it leaves in its arguments are the twin's within rounding of the dtype.

    atol: by default rtol times the largest magnitude of each array. Unless rtol is 0, bfloat16 results may be one
    rounding apart. Instead of both, `of_largest`: times the largest magnitude; of each result, where it is a tuple.
    """
    for_twin, sent = _each(np.copy, args), _each(lambda a: _sent(xp, a, misaligned), args)
    expected = flat(function_of('reference', call)(*for_twin, **kwargs))
    actual = flat(function_of('cuda', call)(*sent, **kwargs))
    what = f'{call} of {[a.shape for a in flat(args)]}'
    assert all(a.flags.c_contiguous for a in actual), what
    pairs = zip(actual + flat(sent), expected + flat(for_twin), strict=True)
    shares = of_largest if isinstance(of_largest, tuple) else (of_largest,)
    for (a, e), share in itertools.zip_longest(pairs, shares, fillvalue=shares[0]):
        assert a.shape == e.shape and a.dtype == e.dtype, f'{what}: {a.dtype} {a.shape} for {e.dtype} {e.shape}'
        if e.dtype.kind in 'ui':
            np.testing.assert_array_equal(a, e, what)
            continue
        relative = 2 ** -7 if e.dtype == BFLOAT16 and rtol > 0 else rtol
        a, e = a.astype(np.float64), e.astype(np.float64)
        absolute = atol if atol is not None else rtol * np.abs(e).max(initial=0)
        if share is not None:
            relative, absolute = 0, share * np.abs(e).max(initial=0)
        np.testing.assert_allclose(a, e, rtol=relative, atol=absolute, err_msg=what)
    return actual


def _each(function, arguments):
    """With `function` of every array in place of it, in lists too."""
    return [_each(function, a) if isinstance(a, list) else function(a) if isinstance(a, np.ndarray) else a
            for a in arguments]


def _sent(xp, array, misaligned):
    if array.dtype == BFLOAT16:  # in two steps, as few of CuPy's own functions know the type
        return _sent(xp, array.view(np.uint16), misaligned).view(BFLOAT16)
    if not misaligned or array.size == 0:
        return xp.array(array)
    return xp.array(np.append(array.flat[:1], array))[1:].reshape(array.shape)


def flat(results):
    """The arrays among results or arguments, as NumPy's."""
    if isinstance(results, list | tuple):
        return [array for result in results for array in flat(result)]
    results = results.get() if hasattr(results, 'get') else results
    return [results] if isinstance(results, np.ndarray | np.generic) else []
