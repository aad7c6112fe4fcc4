"""Latents and labels for the generator."""
import numpy as np


def sample_continuous(dim, batchsize, distribution='normal', xp=np, rng=None):
    """Latents z, float32 (batchsize, dim), from N(0, 1) ('normal') or U(-1, 1) ('uniform').

    `rng` is a `RandomState` of xp's kind, by default xp's global one. Raises ValueError for another distribution.
    """
    rng = xp.random if rng is None else rng
    if distribution == 'normal':
        return rng.normal(size=(batchsize, dim)).astype(np.float32)
    if distribution == 'uniform':
        return rng.uniform(-1, 1, (batchsize, dim)).astype(np.float32)
    raise ValueError(f"distribution must be 'normal' or 'uniform', got {distribution!r}")


def sample_categorical(n_cat, batchsize, distribution='uniform', xp=np, rng=None):
    """Labels y, int32 (batchsize,), uniform over 0 … n_cat − 1. Raises ValueError for another distribution."""
    rng = xp.random if rng is None else rng
    if distribution == 'uniform':
        return rng.randint(low=0, high=n_cat, size=batchsize).astype(np.int32)
    raise ValueError(f"distribution must be 'uniform', got {distribution!r}")
