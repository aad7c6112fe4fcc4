"""Embeddings and the projection onto them, one launch each; see `source.kernels.reference.embedding`."""
from source.kernels.cuda import launching

import numpy as np


def _launch(kernel, rows, channels, args):
    grid = rows, launching.ceil_div(channels, launching.THREADS)
    launching.launch('embedding', kernel, grid, (launching.THREADS,), args)


def _check(labels, *floats):
    launching.contiguous(labels, *floats)
    if labels.dtype != np.int32 or any(a.dtype != np.float32 for a in floats):
        raise TypeError(f'labels must be int32 and the rest float32, got {labels.dtype} and '
                        f'{", ".join(str(a.dtype) for a in floats)}')


def lookup(W, labels):
    _check(labels, W)
    y = launching.empty((len(labels), W.shape[1]))
    _launch('lookup', len(labels), W.shape[1], (W, labels, y, np.int32(W.shape[1])))
    return y


def lookup_gradient(gy, labels, n_cat):
    _check(labels, gy)
    b, channels = gy.shape
    gW = launching.empty((n_cat, channels))
    _launch('lookup_gradient', n_cat, channels, (gy, labels, gW, np.int32(b), np.int32(channels)))
    return gW


def project(h, W, labels):
    _check(labels, h, W)
    y = launching.empty((len(h), 1))
    launching.launch('embedding', 'project', (len(h),), (launching.THREADS,),
                     (h, W, labels, y, np.int32(h.shape[1])))
    return y


def project_gradient(gy, h, W, labels):
    _check(labels, gy, h, W)
    b, channels = h.shape
    gh, gW = launching.empty_like(h), launching.empty_like(W)
    _launch('project_gradient', b + len(W), channels,
            (gy, h, W, labels, gh, gW, np.int32(b), np.int32(channels)))
    return gh, gW
