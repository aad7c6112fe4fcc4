"""Arrays that begin on a cache line, and scratch memory that outlives a call."""
import math
import threading

import numpy as np

_LINE_BYTES = 64
_kept = threading.local()


def empty(shape, dtype=np.float32):
    """Like np.empty; NumPy's own arrays start 16 bytes into a line, so that every wide load would touch two."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(n_bytes + _LINE_BYTES, np.uint8)
    start = -raw.ctypes.data % _LINE_BYTES
    return raw[start:start + n_bytes].view(dtype).reshape(shape)


def scratch(name, shape, dtype=np.float32):
    """An array with undefined contents, reused by the next call that asks for the same name in the same thread."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    pool = _kept.__dict__
    if name not in pool or pool[name].nbytes < n_bytes:
        pool[name] = empty((n_bytes,), np.uint8)
    return pool[name][:n_bytes].view(dtype).reshape(shape)
