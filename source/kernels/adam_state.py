"""Adam's step count and hyperparameters in one array, which the kernels read and advance where the parameters are.

float64, as 1 − β₂ in float32 would be off by 1e-5 of itself.
"""
import numpy as np

T, ALPHA, BETA1, BETA2, EPS, ALPHA_T = range(6)  # ALPHA_T: alpha · √(1 − β₂ᵗ) / (1 − β₁ᵗ) of the last update


def adam_state(alpha, beta1, beta2, eps, t=0):
    """A NumPy array (6,); t is the number of updates done. Writing to [ALPHA] changes the learning rate."""
    return np.array([t, alpha, beta1, beta2, eps, 0.])
