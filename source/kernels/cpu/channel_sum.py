"""The sum of a channels-last array over everything but its channels."""
import numba
import numpy as np

_PARTS = 64  # fixed, so that the order of additions does not depend on the number of threads


@numba.njit('void(float32[:, ::1], float64[:, ::1])', parallel=True, cache=True)
def _sum_parts(rows, partial):
    n_rows, n_channels = rows.shape
    n_parts = len(partial)
    for part in numba.prange(n_parts):
        for c in range(n_channels):
            partial[part, c] = 0
        for row in range(part * n_rows // n_parts, (part + 1) * n_rows // n_parts):
            for c in range(n_channels):
                partial[part, c] += rows[row, c]


def channel_sum(x):
    """(..., C) float32 to (C,) float32, accumulated in float64."""
    partial = np.empty((_PARTS, x.shape[-1]))
    _sum_parts(x.reshape(-1, x.shape[-1]), partial)
    return partial.sum(axis=0).astype(np.float32)
