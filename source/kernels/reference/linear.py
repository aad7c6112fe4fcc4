"""The GPU's dense layers in plain NumPy: what `source.kernels.cuda.linear` is compared with.

x (B, I), y (B, O), w (O, I), bias (O,). Activations are float32, float64 or ml_dtypes.bfloat16, weights float32 (or
float64); sums are float32 (or float64). A result is of its operand's type unless `dtype` says another.
"""
from source.kernels.reference.precision import narrowed, widened


def linear(x, w, bias=None, dtype=None):
    """y = x wᵀ + bias."""
    y = widened(x) @ widened(w).T
    if bias is not None:
        y += bias
    return narrowed(y, dtype or x.dtype)


def linear_data_gradient(gy, w, dtype=None):
    """gx = gy w."""
    return narrowed(widened(gy) @ widened(w), dtype or gy.dtype)


def linear_weight_gradient(x, gy):
    """gw = gyᵀ x and gb = the sum of gy over the batch, float32 (or float64)."""
    gy = widened(gy)
    return gy.T @ widened(x), gy.sum(axis=0)
