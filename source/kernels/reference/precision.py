"""What is computed in: float64 for float64, float32 for everything else."""
import numpy as np


def widened(x):
    return x if x.dtype == np.float64 else x.astype(np.float32)


def narrowed(y, dtype):
    """y, C-contiguous, in the dtype of the activations."""
    return np.ascontiguousarray(y).astype(dtype, copy=False)
