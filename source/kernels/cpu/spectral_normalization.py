"""The gradient of W / σ(W) in two passes over the matrix (eq. 10)."""
from source.kernels.cpu.options import OPTIONS

import numba
import numpy as np


@numba.njit('void(float32[:, ::1], float32[:, ::1], float32[::1], float32[::1], float64, float64, float32[:, ::1])',
            **OPTIONS)
def _gradient(W, g, u, v, sigma, factor, gW):
    inner = np.empty(len(W))
    for i in numba.prange(len(W)):
        row = np.float32(0)
        for j in range(W.shape[1]):
            row += g[i, j] * W[i, j]
        inner[i] = row
    total = 0.
    for i in range(len(W)):  # in this order, whatever the number of threads
        total += inner[i]
    scale = np.float32(factor / sigma)
    for i in numba.prange(len(W)):
        along = np.float32(total / sigma) * u[i]
        for j in range(W.shape[1]):
            gW[i, j] = scale * (g[i, j] - along * v[j])


def gradient(W, g, u, v, sigma, factor):
    """(factor / σ) (g − ⟨g, W / σ⟩ uᵀv) for float32 matrices W, g (d_out, d_in), u (1, d_out) and v (1, d_in)."""
    gW = np.empty_like(W)
    _gradient(W, np.ascontiguousarray(g), u.ravel(), v.ravel(), sigma, factor, gW)
    return gW
