"""Precision and recall of generated features: how real they are, and how much of the real ones they cover."""
from source.metrics.arrays import checked_feats
from source.metrics.squared_distances import centred, squared_distances, squared_radii

from chainer import backend

NEIGHBORS = 3  # the paper's k


def precision_recall(feats_real, feats_fake, k=NEIGHBORS):
    """Return (precision, recall), floats in [0, 1].

    Precision is the share of fake features no farther from some real one than that one's k-th nearest real
    neighbour; recall the share of real features in such balls around the fake ones. `feats` are (N, D), each with
    more than k rows. Distances are of float64, a block of rows at a time: memory grows with N, not N². Raises
    ValueError for other shapes. Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing
    Generative Models, eq. 1 and 2.
    """
    xp = backend.get_array_module(feats_real, feats_fake)
    real, fake = xp.asarray(feats_real), xp.asarray(feats_fake)
    if k < 1:
        raise ValueError(f'k: expected at least 1, got {k}')
    checked_feats(real, fake, smallest=k + 1)
    real, fake = centred(xp, real, fake)
    return _covered_share(xp, fake, real, k), _covered_share(xp, real, fake, k)


def _covered_share(xp, points, centres, k):
    radii = squared_radii(xp, centres, k)
    n_covered = sum(int((d <= radii).any(axis=1).sum()) for d, _ in squared_distances(xp, points, centres))
    return n_covered / len(points)
