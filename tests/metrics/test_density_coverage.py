"""Against the authors' package prdc: its own numbers, kept, and live where it is installed."""
from source.metrics import squared_distances
from source.metrics.density_coverage import NEIGHBORS, density_coverage
from tests.metrics.reference_cases import features

import numpy as np
import pytest
from scipy.spatial.distance import cdist

PRDC = {'density': 1.2861538461538462, 'coverage': 0.9733333333333334}  # prdc 0.2's, of features(), k = 5


def slow(real, fake, k=NEIGHBORS):
    radii = np.sort(cdist(real, real, 'sqeuclidean'), axis=1)[:, k]
    inside = cdist(real, fake, 'sqeuclidean') < radii[:, None]
    return inside.sum() / (k * len(fake)), inside.any(axis=1).mean()


def test_kept_numbers():
    assert density_coverage(*features()) == pytest.approx(tuple(PRDC.values()), rel=1e-12)


def test_live(capsys):
    prdc = pytest.importorskip('prdc')
    found = prdc.compute_prdc(*features(), nearest_k=NEIGHBORS)
    assert {name: found[name] for name in PRDC} == pytest.approx(PRDC, rel=1e-12)


def test_the_border_is_outside():
    """Real at 0, 1, 2, 3, 4; with k = 1 all balls reach 1, with k = 2 the outer ones 2. A fake one may be alone."""
    real, fake = np.arange(5.)[:, None], np.array([[-1.], [-.99], [1.5], [9.]])
    assert density_coverage(real, fake, k=1) == (3 / 4, 3 / 5)
    assert density_coverage(real, fake, k=2) == (5 / 8, 3 / 5)
    assert density_coverage(real, fake[2:3], k=1) == (2., 2 / 5)
    assert density_coverage(real, real, k=1) == (1., 1.)


@pytest.mark.parametrize('entries', [1, 100, 2 ** 22])
def test_ties_and_blocks(monkeypatch, entries):
    """Whole numbers, many of them equal, of which all distances are exact; far from zero nothing changes."""
    monkeypatch.setattr(squared_distances, 'BLOCK_ENTRIES', entries)
    rng = np.random.RandomState(0)
    for _ in range(5):
        real, fake = rng.randint(4, size=(60, 2)).astype(float), rng.randint(4, size=(50, 2)).astype(float)
        assert 0 < slow(real, fake)[1] < 1
        assert density_coverage(real, fake) == density_coverage(real + 1e4, fake + 1e4) == slow(real, fake)


def test_equal_features_hold_nothing():
    """More than k of them have balls of radius 0; in float64 rounding must not give them any extent."""
    real = np.repeat(np.random.RandomState(1).normal(size=(30, 64)), NEIGHBORS + 1, axis=0)
    assert density_coverage(real, real[::3]) == (0., 0.)


def test_refuses():
    for real, fake, k, expected in ((5, 9, 5, 'at least 6 real features, got 5'), (9, 0, 5, 'at least 1 features'),
                                    (9, 9, 0, 'k: expected at least 1, got 0')):
        with pytest.raises(ValueError, match=expected):
            density_coverage(np.zeros((real, 2)), np.zeros((fake, 2)), k)
