"""How long a plan of a convolution takes on the device, whatever launching it takes on the host.

The host needs longer to launch a small convolution than the device to compute it. So the device is kept busy until all
executions are launched.
"""
from source.kernels.cuda import launching

import numpy as np

N_TIMINGS = 10
HEAD_START = np.int64(6_000_000)  # clock cycles, some 3 ms: longer than launching N_TIMINGS executions takes


def milliseconds(plan, arrays, limit):
    """Of an execution, in the mean of several, or of a single one where that takes longer than `limit`."""
    plan.execute(arrays)  # loads the kernel
    once = elapsed(plan, arrays, 1)
    return once if once > limit else elapsed(plan, arrays, N_TIMINGS)


def elapsed(plan, arrays, n):
    """Milliseconds of an execution, the mean of n."""
    import cupy
    start, stop = cupy.cuda.Event(), cupy.cuda.Event()
    launching.launch('waiting', 'spin', (1,), (1,), (HEAD_START,))
    start.record()
    for _ in range(n):
        plan.execute(arrays)
    stop.record()
    stop.synchronize()
    return cupy.cuda.get_elapsed_time(start, stop) / n
