"""In which types the twins compute: bfloat16 arrays in float32, all others in their own."""
import numpy as np


def compute_dtype(dtype):
    """float64 for float64, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def rounded(x, dtype, held_as=None):
    """x rounded to the values of `dtype`, as an array of that type or, with `held_as`, of a wider one."""
    x = x.astype(dtype, copy=False)
    return x if held_as is None else x.astype(held_as, copy=False)
