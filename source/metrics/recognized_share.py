"""How often a classifier sees in a sample the class that was asked for."""
import numpy as np


def recognized_share(probs, y):
    """Return the share, in [0, 1], of rows of `probs` (N, K) whose largest entry is at the label `y` (N,).

    Raises ValueError where the lengths differ, there are no rows, or a label lies outside [0, K).
    """
    probs, y = np.asarray(probs), np.asarray(y)
    if probs.ndim != 2 or y.shape != probs.shape[:1] or not len(y):
        raise ValueError(f'expected probs (N, K) and y (N,), N > 0; got {probs.shape} and {y.shape}')
    if y.min() < 0 or y.max() >= probs.shape[1]:
        raise ValueError(f'y: expected labels 0 to {probs.shape[1] - 1}, got {y.min()} to {y.max()}')
    return float((probs.argmax(axis=1) == y).mean())
