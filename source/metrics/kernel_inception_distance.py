"""The kernel inception distance, an unbiased estimate of the squared maximum mean discrepancy of features."""
from source.metrics.arrays import checked_feats

import numpy as np
from chainer import backend


def kernel_inception_distance(feats0, feats1, n_subsets=100, subset_size=1000, rng=None):
    """Return mean and population standard deviation of the distance over `n_subsets` pairs of random subsets.

    `feats` are (N, D), computed with in float64. Each subset is of `subset_size` rows without repeats; `rng`, a NumPy
    RandomState (default: one of seed 0), first draws the rows of feats0, then those of feats1. Kernel
    (x·y / D + 1)^3. The mean is 0 in expectation for equal distributions, and may be negative. The deviation is None
    where there is one value alone: of one pair, or where subsets are all the rows and so every pair is the same. Raises
    ValueError for other shapes and for fewer rows than `subset_size`, which is at least 2.
    Bińkowski et al. 2018, Demystifying MMD GANs, sections 3 and 4.
    """
    xp = backend.get_array_module(feats0, feats1)
    feats0, feats1 = xp.asarray(feats0), xp.asarray(feats1)
    if subset_size < 2 or n_subsets < 1:
        raise ValueError(f'expected n_subsets >= 1 and subset_size >= 2, got {n_subsets} and {subset_size}')
    checked_feats(feats0, feats1, smallest=subset_size)
    rng = np.random.RandomState(0) if rng is None else rng
    distances = []
    for _ in range(n_subsets):
        x, y = (feats[xp.asarray(rng.choice(len(feats), subset_size, replace=False))].astype(xp.float64)
                for feats in (feats0, feats1))
        distances.append(float(_squared_discrepancy(x, y)))
    is_one_value = n_subsets == 1 or len(feats0) == len(feats1) == subset_size
    return float(np.mean(distances)), None if is_one_value else float(np.std(distances))


def _squared_discrepancy(x, y):
    n = len(x)
    within = sum(k.sum() - k.trace() for k in (_kernel(x, x), _kernel(y, y))) / (n * (n - 1))
    return within - 2. * _kernel(x, y).mean()


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1.) ** 3
