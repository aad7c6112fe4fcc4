"""What all launchers share: sources, modules, and the shapes of blocks.

A kernel set's launcher computes its grid, block and arguments from the arrays alone, so that tests can launch the same
on a CPU. CuPy is imported when something is launched.
"""
import functools
import pathlib

from source.kernels.compilation_notice import tell_of_gpu_compilation

import numpy as np

THREADS = 256  # of a block; a constant of the sources, too
MOST_BLOCKS = 512  # about four on each multiprocessor of a large GPU; fixed, so that sums have the same bits on all
NULL = np.uint64(0)  # a pointer to nothing
_PACK_BYTES = 16


def cuda_source(file, dtype, vec, jobs=None):
    """The text of `file`.cu, for `vec` activations of a dtype read at once, and tables of that many jobs."""
    name = np.dtype(dtype).name
    if name not in ('float32', 'bfloat16'):
        raise TypeError(f'the CUDA kernels take activations in float32 or bfloat16, not {name}')
    folder = pathlib.Path(__file__).parent
    stems = ['common', 'columns', *(['jobs'] if jobs else []), file]
    defines = {'VEC': vec, **({'JOBS': jobs} if jobs else {}), **({'BFLOAT16': ''} if name == 'bfloat16' else {})}
    return '\n'.join([*(f'#define {key} {value}' for key, value in defines.items()),
                      *((folder / f'{stem}.cu').read_text(encoding='utf-8') for stem in stems)])


@functools.cache
def _module(file, dtype, vec, jobs):
    import cupy
    tell_of_gpu_compilation()
    return cupy.RawModule(code=cuda_source(file, dtype, vec, jobs), options=('--std=c++17',))


@functools.cache
def _function(file, dtype, vec, jobs, kernel):
    return _module(file, dtype, vec, jobs).get_function(kernel)


def launch(file, kernel, grid, block, args, dtype=np.float32, vec=1, jobs=None):
    """Launches a kernel of `file`.cu on the current stream. Scalars among args must be NumPy's."""
    _function(file, np.dtype(dtype), vec, jobs, kernel)(grid, block, args)


def empty(shape, dtype=np.float32):
    import cupy
    return cupy.empty(shape, dtype)


def empty_like(x):
    return empty(x.shape, x.dtype)


def address(array):
    """Where an array of CuPy's begins. Raises TypeError for another's, which a kernel cannot reach."""
    try:
        return array.data.ptr
    except AttributeError:
        raise TypeError(f'an array on the GPU is needed, got a {type(array).__name__} of shape {array.shape}') from None


def device():
    """The current one's index."""
    import cupy
    return cupy.cuda.Device().id


def ceil_div(a, b):
    return -(-a // b)


def aligned(array):
    """The array, or a copy of it that begins where 16 bytes are read at once."""
    return array if address(array) % _PACK_BYTES == 0 else array.copy()


def vec_of(x, channels, *further):
    """How many of x's elements the kernels may read at once: 16 bytes of them where channels and addresses allow it.

    further: other arrays read at the same places.
    """
    vec = _PACK_BYTES // x.dtype.itemsize
    return vec if channels % vec == 0 and all(address(a) % _PACK_BYTES == 0 for a in (x, *further)) else 1


def channels_block(channels, vec):
    """(threads along channels, along rows) of a block on (rows, channels): 64 channels or fewer, 256 threads."""
    across = 1
    while across < min(32, 64 // vec) and across * vec < channels:
        across *= 2
    return across, THREADS // across


def rows_split(rows, channels, vec):
    """How (rows, channels) are cut for a sum over rows: grid (parts, tiles), block, and rows of a part."""
    block = channels_block(channels, vec)
    tiles = ceil_div(channels, block[0] * vec)
    parts = max(1, min(ceil_div(rows, 2 * block[1]), MOST_BLOCKS // tiles))
    per_part = ceil_div(rows, parts)
    return (ceil_div(rows, per_part), tiles), block, per_part


def contiguous(*arrays):
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError(f'the CUDA kernels take C-contiguous arrays; one of shape {array.shape} has strides '
                             f'{array.strides}')


def counters(n):
    """At least n unsigned integers that are 0 between launches: blocks count on them how many of them are done.

    There are some for each device and stream, as launches on one stream never overlap; captured graphs go on using
    theirs, so that none is ever given back.
    """
    import cupy
    arrays = _counters.setdefault((device(), cupy.cuda.get_current_stream().ptr), [])
    if not arrays or arrays[-1].size < n:
        arrays.append(cupy.zeros(max(n, 16384), np.uint32))
    return arrays[-1]


_counters = {}
