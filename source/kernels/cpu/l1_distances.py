"""Sums of absolute differences between all rows of two matrices."""
import numba
import numpy as np

# Sums may be reordered, unlike elsewhere here: these distances are only compared with each other.
_OPTIONS = {'cache': True, 'parallel': True, 'fastmath': True, 'nogil': True}


@numba.njit('void(uint8[:,::1], uint8[:,::1], float64[:,::1])', **_OPTIONS)
def of_uint8(queries, items, distances):
    """distances[q, n] = Σ |queries[q] − items[n]|; exact up to 2²⁴ columns."""
    for n in numba.prange(len(items)):
        for q in range(len(queries)):
            total = np.uint32(0)
            for k in range(items.shape[1]):
                a, b = queries[q, k], items[n, k]
                total += np.uint32(max(a, b) - min(a, b))
            distances[q, n] = total


@numba.njit('void(float32[:,::1], float32[:,::1], float64[:,::1])', **_OPTIONS)
def of_float32(queries, items, distances):
    """The same of float32, summed in float32."""
    for n in numba.prange(len(items)):
        for q in range(len(queries)):
            total = np.float32(0)
            for k in range(items.shape[1]):
                total += abs(queries[q, k] - items[n, k])
            distances[q, n] = total
