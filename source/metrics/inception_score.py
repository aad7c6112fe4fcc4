"""The inception score of any classifier's probabilities."""
from chainer import backend


def inception_score(probs, splits=10):
    """Return mean and population standard deviation, over contiguous splits, of exp(E_x KL(p(y|x) || p(y))).

    `probs` is (N, K), one row an image, all >= 0; the result lies in [1, K] where rows sum to 1. The deviation of a
    single split is None: one value has no spread. Computed in float64, one split in memory at a time. Raises ValueError
    for another shape, for negative or non-finite entries and for fewer images than splits. Salimans et al. 2016,
    Improved Techniques for Training GANs, section 4.
    """
    xp = backend.get_array_module(probs)
    probs = xp.asarray(probs)
    if probs.ndim != 2:
        raise ValueError(f'probs: expected (N, K), got {probs.shape}')
    if not 1 <= splits <= len(probs):
        raise ValueError(f'splits: expected 1 to {len(probs)}, the number of images; got {splits}')
    bounds = [k * len(probs) // splits for k in range(splits + 1)]
    scores = xp.stack([_score(xp, probs[start:end]) for start, end in zip(bounds[:-1], bounds[1:], strict=True)])
    return float(scores.mean()), float(scores.std()) if splits > 1 else None


def _score(xp, probs):
    probs = probs.astype(xp.float64)
    if not (probs >= 0).all() or not xp.isfinite(probs).all():
        raise ValueError('probs: expected finite entries, not negative')
    marginal = probs.mean(axis=0)
    # 0 log 0 = 0, and where the marginal is 0 so is every row.
    divergence = probs * (xp.log(xp.where(probs > 0, probs, 1.)) - xp.log(xp.where(marginal > 0, marginal, 1.)))
    return xp.exp(divergence.sum(axis=1).mean())
