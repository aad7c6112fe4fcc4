"""CPU kernels. Imported before numba starts its threads, to keep those from fighting BLAS's over the cores."""
import os

from threadpoolctl import threadpool_limits

# Idle threads of both pools spin for milliseconds, which takes the core from whatever they wait for: on a busy machine
# a step took six times as long. GNU OpenMP reads its variable when numba's first parallel loop loads it. BLAS is left
# one thread, as the kernels split their work themselves.
if 'OMP_WAIT_POLICY' not in os.environ:
    os.environ.setdefault('GOMP_SPINCOUNT', '500')
threadpool_limits(1, 'blas')
