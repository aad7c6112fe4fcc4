"""Spectral normalization of all layers at once; see `source.kernels.reference.spectral_normalization`.

Two launches a round of power iteration, one for the normalized weights and two for their gradients, however many layers
there are (up to the tables' capacity of some 60, beyond which each is launched for another table).
"""
import functools
import itertools

from source.kernels.cuda import launching
from source.kernels.cuda.jobs import SEGMENT, Table
from source.kernels.power_iteration import EPS

import numpy as np

_ROUNDS = Table(('W', np.uint64), ('u', np.uint64), ('d_out', np.int32), ('d_in', np.int32), ('first_block', np.int32),
                ('row', np.int32), ('column', np.int32), ('partial', np.int32), ('rows_per_block', np.int32),
                ('vectors', np.int32))
_PASSES = Table(('W', np.uint64), ('g', np.uint64), ('u', np.uint64), ('v', np.uint64), ('out', np.uint64),
                ('n', np.int32), ('d_in', np.int32), ('first_block', np.int32), ('index', np.int32),
                ('vectors', np.int32), ('factor', np.float32))
_ALIGNED = 64  # elements after which arrays in one buffer begin
_MOST_SPLITS = 8  # of a matrix's rows, and at least 32 rows to each


def power_iterations(Ws, us, Ip=1):
    for W, u in zip(Ws, us, strict=True):
        _check(W, u)
        if W.ndim != 2 or u.shape != (1, len(W)):
            raise ValueError(f'W must be (d_out, d_in) and u (1, d_out), got {W.shape} and {u.shape}')
    rows, s = _buffer([len(W) for W in Ws], np.float32)
    columns, t = _buffer([W.shape[1] for W in Ws], np.float32)
    u_flat, v_flat, sigmas = launching.empty_like(s), launching.empty_like(t), launching.empty((len(Ws),))
    new_us = [u_flat[first:first + len(W)].reshape(1, -1) for first, W in zip(rows, Ws)]
    vs = [v_flat[first:first + W.shape[1]].reshape(1, -1) for first, W in zip(columns, Ws)]
    for _ in range(Ip):
        for chunk in _ROUNDS.chunks(range(len(Ws))):
            _round([(Ws[i], us[i], rows[i], columns[i]) for i in chunk], s, t, u_flat, v_flat, sigmas[chunk[0]:])
        us = new_us
    return new_us, vs, sigmas


def store(us, new_us):
    sigmas = _ones(len(us), launching.device())
    jobs = [(launching.address(new), 0, 0, 0, launching.address(u), u.size, 1, i, _are_aligned(u, new), 1.)
            for i, (u, new) in enumerate(zip(_checked(us), _checked(new_us), strict=True))]
    for table, blocks in _passes(jobs):
        _launch('spectral_normalization', 'normalized', blocks, (table, sigmas), _PASSES)


@functools.cache
def _ones(n, device):
    ones = launching.empty((n,))
    ones.fill(1)
    return ones


def normalized(Ws, sigmas, factors, dtype=None):
    dtype = np.dtype(dtype or np.float32)
    W_bars = _like(Ws, dtype)
    vec = 16 // dtype.itemsize
    jobs = [(launching.address(W), 0, 0, 0, launching.address(W_bar), W.size, 1, i, _are_aligned(W, W_bar), factor)
            for i, (W, W_bar, factor) in enumerate(zip(_checked(Ws), W_bars, factors, strict=True))]
    for table, blocks in _passes(jobs):
        _launch('spectral_normalization', 'normalized', blocks, (table, sigmas), _PASSES, dtype, vec)
    return W_bars


def gradients(Ws, gW_bars, us, vs, sigmas, factors):
    gWs, inner = _like(Ws, np.float32), launching.empty((len(Ws),))
    jobs = []
    for i, (W, g, u, v, gW, factor) in enumerate(zip(_checked(Ws), gW_bars, us, vs, gWs, factors, strict=True)):
        _check(g, u, v)
        if g.size != W.size or u.size * v.size != W.size:
            raise ValueError(f'W {W.shape}, its gradient {g.shape}, u {u.shape} and v {v.shape} do not belong together')
        vectors = _are_aligned(W, g, v, gW) and v.size % 4 == 0
        jobs.append((*map(launching.address, (W, g, u, v, gW)), W.size, v.size, i, vectors, factor))
    for table, blocks in _passes(jobs):
        args = table, launching.empty((blocks,), np.float64), launching.counters(blocks), inner, sigmas
        _launch('spectral_normalization', 'inner_products', blocks, args, _PASSES)
        _launch('spectral_normalization', 'gradients', blocks, (table, inner, sigmas), _PASSES)
    return gWs


def _launch(file, kernel, blocks, args, table, dtype=np.float32, vec=4, block=(launching.THREADS,)):
    launching.launch(file, kernel, (blocks,), block, args, dtype, vec, table.capacity)


def _round(matrices, s, t, u, v, sigmas):
    """One round of (W, u, where its rows begin, where its columns do); writes u, v and sigmas."""
    shared, by_columns, by_rows, partials = [], [0], [0], [0]
    for W, old_u, row, column in matrices:
        d_out, d_in = W.shape
        vectors = d_in % 4 == 0 and _are_aligned(W)
        rows_per_block = 32 * launching.ceil_div(d_out, 32 * _MOST_SPLITS)
        splits = launching.ceil_div(d_out, rows_per_block)
        shared.append((launching.address(W), launching.address(old_u), d_out, d_in, row, column, rows_per_block,
                       vectors))
        by_columns.append(by_columns[-1] + launching.ceil_div(d_in, 128 if vectors else 32) * splits)
        by_rows.append(by_rows[-1] + launching.ceil_div(d_out, 4))
        partials.append(partials[-1] + splits * d_in)
    partial, counters = launching.empty((partials[-1],)), launching.counters(by_columns[-1])

    def table(first_blocks):
        return _ROUNDS.filled([(*job[:4], first_block, *job[4:6], partial_sums, *job[6:])
                               for job, first_block, partial_sums in zip(shared, first_blocks, partials)])
    _launch('power_iteration', 'columns_dot', by_columns[-1], (table(by_columns), partial, counters, t), _ROUNDS,
            block=(32, 8))
    args = table(by_rows), launching.counters(len(shared)), t, s, v, u, sigmas, np.float32(EPS)
    _launch('power_iteration', 'rows_dot', by_rows[-1], args, _ROUNDS)


def _passes(jobs):
    """(table, number of blocks) of each launch over jobs that lack `first_block`."""
    for chunk in _PASSES.chunks(jobs):
        first_blocks = [0, *itertools.accumulate(launching.ceil_div(job[5], SEGMENT) for job in chunk)]
        yield _PASSES.filled([(*job[:7], first, *job[7:]) for job, first in zip(chunk, first_blocks)]), first_blocks[-1]


def _buffer(sizes, dtype):
    """Where arrays of these sizes begin in one buffer, and the buffer."""
    firsts = [0, *itertools.accumulate(launching.ceil_div(size, _ALIGNED) * _ALIGNED for size in sizes)]
    return firsts[:-1], launching.empty((firsts[-1],), dtype)


def _like(arrays, dtype):
    firsts, buffer = _buffer([a.size for a in arrays], dtype)
    return [buffer[first:first + a.size].reshape(a.shape) for first, a in zip(firsts, arrays)]


def _are_aligned(*arrays):
    return all(launching.address(a) % 16 == 0 for a in arrays)


def _check(*arrays):
    launching.contiguous(*arrays)
    if any(a.dtype != np.float32 for a in arrays):
        raise TypeError(f'float32 is needed, got {", ".join(str(a.dtype) for a in arrays)}')


def _checked(arrays):
    _check(*arrays)
    return arrays
