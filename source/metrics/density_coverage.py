"""Density and coverage of generated features: precision and recall that single outliers change less."""
from source.metrics.arrays import checked_feats
from source.metrics.squared_distances import centred, squared_distances, squared_radii

from chainer import backend

NEIGHBORS = 5  # the paper's k


def density_coverage(feats_real, feats_fake, k=NEIGHBORS):
    """Return (density, coverage), floats; density is 0 or above, and may exceed 1, coverage lies in [0, 1].

    A ball around each real feature reaches, without its border, as far as its k-th nearest real neighbour. Density is
    how many balls hold a fake feature, over k, on average; coverage the share of balls that hold one. A ball of radius
    0, around more than k equal features, holds nothing. `feats` are (N, D), more than k real and at least one fake.
    Distances are of float64, a block of rows at a time; two that differ by its rounding alone are equal. Raises
    ValueError for other shapes. Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models, eq. 3
    and 5, with the strict < of the authors' package `prdc`.
    """
    xp = backend.get_array_module(feats_real, feats_fake)
    real, fake = xp.asarray(feats_real), xp.asarray(feats_fake)
    if k < 1:
        raise ValueError(f'k: expected at least 1, got {k}')
    checked_feats(real, fake, smallest=1)
    if len(real) <= k:
        raise ValueError(f'expected at least {k + 1} real features, got {len(real)}')
    real, fake = centred(xp, real, fake)
    radii, n_inside, n_covered, start = squared_radii(xp, real, k), 0, 0, 0
    for distances, rounding in squared_distances(xp, real, fake):
        inside = distances + rounding < radii[start:start + len(distances), None]
        n_inside += int(inside.sum())
        n_covered += int(inside.any(axis=1).sum())
        start += len(distances)
    return n_inside / (k * len(fake)), n_covered / len(real)
