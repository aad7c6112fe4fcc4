"""Latents and labels for the generator."""
import numpy as np
from scipy.special import ndtr, ndtri


def sample_continuous(dim, batchsize, distribution='normal', xp=np, rng=None, truncation=None):
    """Latents z, float32 (batchsize, dim), from N(0, 1) ('normal') or U(-1, 1) ('uniform').

    `rng` is a `RandomState` of xp's kind, by default xp's global one. With `truncation`, above 0, from the part of the
    distribution within ±truncation (Brock et al., 2019, Section 3.1); NumPy only. Raises ValueError for another
    distribution.
    """
    rng = xp.random if rng is None else rng
    if truncation is not None:
        return _truncated(dim, batchsize, distribution, rng, truncation)
    if distribution == 'normal':
        return rng.normal(size=(batchsize, dim)).astype(np.float32)
    if distribution == 'uniform':
        return rng.uniform(-1, 1, (batchsize, dim)).astype(np.float32)
    raise ValueError(f"distribution must be 'normal' or 'uniform', got {distribution!r}")


def _truncated(dim, batchsize, distribution, rng, truncation):
    if not truncation > 0:
        raise ValueError(f'truncation must be above 0, got {truncation!r}')
    if distribution == 'normal':
        # By the inverse of the distribution function: drawing until all fit would take long for a small truncation.
        low, high = ndtr(-truncation), ndtr(truncation)
        z = ndtri(rng.uniform(low, high, (batchsize, dim)))
        return np.clip(z, -truncation, truncation).astype(np.float32)
    if distribution == 'uniform':
        bound = min(truncation, 1.)
        return rng.uniform(-bound, bound, (batchsize, dim)).astype(np.float32)
    raise ValueError(f"distribution must be 'normal' or 'uniform', got {distribution!r}")


def sample_categorical(n_cat, batchsize, distribution='uniform', xp=np, rng=None):
    """Labels y, int32 (batchsize,), uniform over 0 … n_cat − 1. Raises ValueError for another distribution."""
    rng = xp.random if rng is None else rng
    if distribution == 'uniform':
        return rng.randint(low=0, high=n_cat, size=batchsize).astype(np.int32)
    raise ValueError(f"distribution must be 'uniform', got {distribution!r}")
