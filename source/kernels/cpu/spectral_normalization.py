"""The gradient of W / σ(W) in two passes over the matrix (eq. 10); BLAS serves the rest well."""
from source.kernels.cpu.options import EXACT

import numba
import numpy as np

_WORTH_THREADS = 1 << 17  # elements; waking the other thread takes longer than the pass over fewer


@numba.njit(cache=True)
def _gradient_rows(g, first, last, u, v, along, scale, gW):
    for i in range(first, last):
        along_row = along * u[i]
        for j in range(g.shape[1]):
            gW[i, j] = scale * (g[i, j] - along_row * v[j])


@numba.njit('void(float32[:, ::1], float32[::1], float32[::1], float32, float32, float32[:, ::1])', **EXACT)
def _gradient(g, u, v, along, scale, gW):
    if g.size < _WORTH_THREADS:
        _gradient_rows(g, 0, len(g), u, v, along, scale, gW)
    else:
        for i in numba.prange(len(g)):
            _gradient_rows(g, i, i + 1, u, v, along, scale, gW)


def gradient(W, g, u, v, sigma, factor):
    """(factor / σ) (g − ⟨g, W / σ⟩ uᵀv) for float32 matrices W, g (d_out, d_in), u (1, d_out) and v (1, d_in)."""
    g, gW = np.ascontiguousarray(g), np.empty_like(W)
    _gradient(g, u.ravel(), v.ravel(), np.vdot(g, W) / sigma, factor / sigma, gW)
    return gW
