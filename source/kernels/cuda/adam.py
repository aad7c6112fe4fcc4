"""Adam of many parameters in one launch for some 70, and one that advances its state; see the twin."""
import itertools

from source.kernels.cuda import launching
from source.kernels.cuda.jobs import SEGMENT, Table

import numpy as np

_TABLE = Table(('param', np.uint64), ('grad', np.uint64), ('m', np.uint64), ('v', np.uint64), ('further', np.uint64),
               ('n', np.int32), ('first_block', np.int32), ('vectors', np.int32))


def update(params, grads, ms, vs, state, further=None):
    jobs = []
    for *arrays, more in zip(params, grads, ms, vs, further or [None] * len(params), strict=True):
        arrays = arrays if more is None else [*arrays, more]
        launching.contiguous(*arrays)
        if any(a.dtype != np.float32 or a.size != arrays[0].size for a in arrays):
            raise ValueError('a parameter, its gradients and its moments must be float32 of one size, got '
                             f'{", ".join(f"{a.dtype} {a.shape}" for a in arrays)}')
        addresses = [launching.address(a) for a in arrays]
        jobs.append((*addresses, *[0] * (5 - len(addresses)), arrays[0].size, all(a % 16 == 0 for a in addresses)))
    _launch('advance', (1,), (1,), (state,))
    for chunk in _TABLE.chunks(jobs):
        first_blocks = [0, *itertools.accumulate(launching.ceil_div(job[5], SEGMENT) for job in chunk)]
        table = _TABLE.filled([(*job[:6], first, job[6]) for job, first in zip(chunk, first_blocks)])
        _launch('update', (first_blocks[-1],), (launching.THREADS,), (table, state))


def _launch(kernel, grid, block, args):
    launching.launch('adam', kernel, grid, block, args, vec=4, jobs=_TABLE.capacity)
