import tracemalloc

from source.metrics import squared_distances as module
from source.metrics.precision_recall import precision_recall

import numpy as np
import pytest
from scipy.spatial.distance import cdist


def slow_precision_recall(real, fake, k):
    def covered(points, centres):
        radii = np.sort(cdist(centres, centres), axis=1)[:, k]
        return float(np.mean([(cdist(point[None], centres)[0] <= radii).any() for point in points]))
    return covered(fake, real), covered(real, fake)


def ring(n, radius, centre=0.):
    angles = np.arange(n) * (2 * np.pi / n)
    return centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_one_of_two_modes_dropped():
    """All that is generated is real, and covers half of what is real."""
    real = np.concatenate([ring(10, 1.), ring(10, 1., centre=50.)])
    assert precision_recall(real, ring(10, 1.)) == (1., .5)
    assert precision_recall(ring(10, 1.), real) == (.5, 1.)


def test_counts_the_kth_of_the_others():
    """Real at 0, 1, 2, 3, 4: with k = 1 the balls reach 1, with k = 2 the outer ones 2."""
    real, fake = np.arange(5.)[:, None], np.array([[-2.01], [-2.], [-1.01], [-1.], [9.]])
    assert precision_recall(real, fake, k=1)[0] == 1 / 5
    assert precision_recall(real, fake, k=2)[0] == 3 / 5


@pytest.mark.parametrize('n_real, n_fake, d, k', [(60, 45, 3, 3), (45, 60, 20, 5), (30, 30, 2, 1)])
def test_agrees_with_plain_distances(n_real, n_fake, d, k):
    rng = np.random.default_rng(d)
    real, fake = rng.normal(size=(n_real, d)), (1.3 if d < 9 else .9) * rng.normal(size=(n_fake, d)) + .3
    expected = slow_precision_recall(real, fake, k)
    assert 0 < expected[0] < 1 and 0 < expected[1] < 1
    assert precision_recall(real, fake, k) == pytest.approx(expected, rel=1e-12)


def test_memory_is_that_of_a_block(monkeypatch):
    monkeypatch.setattr(module, 'BLOCK_ENTRIES', 2 ** 16)
    feats = np.random.default_rng(7).normal(size=(3000, 2))
    tracemalloc.start()
    precision_recall(feats, feats + .01)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 8 * 2 ** 16  # all distances would be 14 times that


def test_copies_far_from_zero_are_covered():
    """More than k copies of a point have a ball of radius 0, where a further copy lies: rounding must not part them."""
    rng = np.random.default_rng(6)
    real = np.repeat(rng.normal(size=(6, 2048)) + 1000., 5, axis=0).astype(np.float32)
    assert precision_recall(real, real[::5].repeat(4, axis=0)) == (1., 1.)
    for n_copies in range(5, 50):  # the number decides how BLAS rounds
        assert precision_recall(real, real[:6:5].repeat(n_copies, axis=0))[0] == 1.
    assert precision_recall(real, real + np.float32(.5)) == (0., 0.)


def test_refuses():
    with pytest.raises(ValueError, match='at least 4 features on either side, got 3 and 9'):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(ValueError, match='k: expected at least 1, got 0'):
        precision_recall(np.zeros((9, 2)), np.zeros((9, 2)), k=0)
    with pytest.raises(ValueError, match='expected finite features'):
        precision_recall(np.zeros((9, 2)), np.full((9, 2), np.nan))
