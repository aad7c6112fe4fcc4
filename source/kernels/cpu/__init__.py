"""CPU kernels. Imported before numba starts its threads, to keep those from fighting BLAS's over the cores."""
import ctypes
import os

import scipy.linalg.cython_blas  # noqa: F401  (numba's matrix products call it: loaded here, it is limited too)
from threadpoolctl import threadpool_limits

# Idle threads of both pools spin for milliseconds, which takes the core from whatever they wait for: on a busy machine
# a step took six times as long. GNU OpenMP reads its variable when numba's first parallel loop loads it. BLAS is left
# one thread, as the kernels split their work themselves.
if 'OMP_WAIT_POLICY' not in os.environ:
    os.environ.setdefault('GOMP_SPINCOUNT', '500')
threadpool_limits(1, 'blas')


def _keep_freed_memory():
    """Leaves freed arrays with the process: glibc gives those over 32 MB back, and each new one then faults in page by
    page, which took a tenth of a step."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2 ** 31 - 1)


_keep_freed_memory()
