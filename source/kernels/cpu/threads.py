"""How many threads the kernels use, and how they wait."""
import os

import numba

# Between two loops GNU OpenMP spins for milliseconds, which on a busy machine takes the core from the thread it waits
# for (measured: steps several times slower). A tenth of a millisecond spans the gaps between our kernels.
# Read when the library is loaded, at numba's first parallel loop.
if 'OMP_WAIT_POLICY' not in os.environ:
    os.environ.setdefault('GOMP_SPINCOUNT', '20000')


def count():
    """Threads in a parallel loop: NUMBA_NUM_THREADS, or fewer after numba.set_num_threads."""
    return numba.get_num_threads()
