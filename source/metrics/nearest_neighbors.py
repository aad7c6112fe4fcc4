"""The nearest of many items by L1, as the authors' slides compare samples with real images."""
from source.kernels import switch

import numpy as np


def l1_distances(queries, items):
    """Σ |queries[q] − items[n]|, float64 (Q, N); queries (Q, D) and items (N, D), both uint8 or both floats."""
    queries, items = (np.require(a, requirements=('C', 'W')) for a in (queries, items))  # what the kernels are for
    if queries.ndim != 2 or items.ndim != 2 or queries.shape[1] != items.shape[1] or queries.dtype != items.dtype:
        raise ValueError(f'expected (Q, D) and (N, D) of one D and type, got {queries.dtype} {queries.shape} and '
                         f'{items.dtype} {items.shape}')
    if switch.ALLOWED and queries.dtype in (np.uint8, np.float32):
        from source.kernels.cpu import l1_distances as kernels
        distances = np.empty((len(queries), len(items)))
        of = kernels.of_uint8 if queries.dtype == np.uint8 else kernels.of_float32
        of(queries, items, distances)
        return distances
    from scipy.spatial.distance import cdist  # here, as it takes a tenth of Chainer's own import
    return cdist(queries, items, 'cityblock')


def nearest_neighbors(queries, blocks, k):
    """Return (indices int (Q, k), distances float64 (Q, k)) of the k items nearest to each query, nearest first.

    `blocks` yields the items in order, (B, D) at a time; no more than a block of them, and of distances, is held in
    memory. Of items equally near the earlier comes first. Raises ValueError where there are fewer than k.
    """
    queries = np.asarray(queries)
    indices, distances = np.empty((len(queries), 0), int), np.empty((len(queries), 0))
    start = 0
    for block in blocks:
        found = np.broadcast_to(np.arange(start, start + len(block)), (len(queries), len(block)))
        distances = np.concatenate([distances, l1_distances(queries, block)], axis=1)
        indices = np.concatenate([indices, found], axis=1)
        nearest = np.argsort(distances, axis=1, kind='stable')[:, :k]
        indices, distances = (np.take_along_axis(a, nearest, axis=1) for a in (indices, distances))
        start += len(block)
    if start < k:
        raise ValueError(f'expected at least {k} items to find the {k} nearest of, got {start}')
    return indices, distances
