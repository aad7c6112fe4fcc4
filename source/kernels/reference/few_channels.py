"""3×3 convolutions as products with the nine pixels around each, of arrays (B, H, W, …)."""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def windows(x):
    """(B, H, W, C) → (B, H, W, 9·C), the pixels around each, row by row; zeros outside."""
    return np.concatenate([shifted for _, shifted in _neighbours(x)], axis=3)


def sum_windows(shares, bias=None):
    """(B, H, W, 9·C), of each pixel its share in its neighbours' sums in the order of `windows` → the sums, and a bias
    (C,) of the same type, (B, H, W, C).
    """
    channels = shares.shape[3] // 9
    total = 0 if bias is None else widened(bias)
    for i, shifted in _neighbours(shares):
        total = total + widened(shifted[..., i * channels:(i + 1) * channels])
    return narrowed(total, shares.dtype)


def _neighbours(x):
    """(i, x moved so that each pixel holds its neighbour number i)."""
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for i in range(9):
        yield i, padded[:, i // 3:i // 3 + height, i % 3:i % 3 + width]
