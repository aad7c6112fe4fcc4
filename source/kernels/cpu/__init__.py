"""CPU kernels. Imported before numba starts its threads, to keep those from fighting BLAS's over the cores."""
import os

from threadpoolctl import threadpool_limits

# Threads of both pools spin for a while when their work is done. Beside another pool's, or another program's, that
# costs several times what they gain: OpenMP's are told to sleep at once, and BLAS is left one thread, as the kernels
# here split their work themselves.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
threadpool_limits(1, 'blas')
