"""The inception score of any classifier's probabilities."""
import numpy as np
from scipy.special import rel_entr


def inception_score(probs, splits=10):
    """Return mean and population standard deviation, over contiguous splits, of exp(E_x KL(p(y|x) || p(y))).

    `probs` is (N, K), one row an image, all >= 0; the result lies in [1, K] where rows sum to 1. Computed in float64.
    Raises ValueError for another shape, for negative or non-finite entries and for fewer images than splits.
    Salimans et al. 2016, Improved Techniques for Training GANs, section 4.
    """
    probs = np.asarray(probs, dtype=np.float64)
    if probs.ndim != 2 or not np.isfinite(probs).all() or (probs < 0).any():
        raise ValueError(f'probs: expected (N, K), finite and not negative; got {probs.shape}')
    if not 1 <= splits <= len(probs):
        raise ValueError(f'splits: expected 1 to {len(probs)}, the number of images; got {splits}')
    bounds = [k * len(probs) // splits for k in range(splits + 1)]
    scores = [_score(probs[start:end]) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(probs):
    return np.exp(rel_entr(probs, probs.mean(axis=0)).sum(axis=1).mean())
