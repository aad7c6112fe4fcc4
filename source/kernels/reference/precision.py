"""In which types the twins compute: float64 for float64, float32 for everything else, bfloat16 included."""
import numpy as np


def compute_dtype(dtype):
    """float64 for float64, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def widened(x):
    """x in the type it is computed with."""
    return x.astype(compute_dtype(x.dtype), copy=False)


def narrowed(y, dtype):
    """y, C-contiguous, in the dtype of the activations."""
    return np.ascontiguousarray(y).astype(dtype, copy=False)


def rounded(x, dtype, held_as=None):
    """x rounded to the values of `dtype`, as an array of that type or, with `held_as`, of a wider one."""
    x = x.astype(dtype, copy=False)
    return x if held_as is None else x.astype(held_as, copy=False)
