import time

from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

singular = pytest.mark.filterwarnings('ignore::source.metrics.frechet_distance.SingularCovarianceWarning')


def random_covariance(rng, d, rank=None):
    factor = rng.normal(size=(d, rank or d))
    return factor @ factor.T / d


@singular
def test_commuting_covariances():
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    a, b = rng.uniform(.1, 4., (2, 5))
    a[0] = b[1] = 0.  # singular covariances have the same closed form
    mu0, mu1 = rng.normal(size=(2, 5))
    expected = ((mu0 - mu1) ** 2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    distance = frechet_distance(mu0, rotation * a @ rotation.T, mu1, rotation * b @ rotation.T)
    assert distance == pytest.approx(expected, rel=1e-7)


@singular
@pytest.mark.parametrize('d, rank', [(2, None), (10, None), (64, None), (64, 20)])
def test_agrees_with_sqrtm(d, rank):
    rng = np.random.default_rng(d)
    cov0, cov1 = random_covariance(rng, d), random_covariance(rng, d, rank)
    mu0, mu1 = rng.normal(size=(2, d))
    root = scipy.linalg.sqrtm(cov0 @ cov1 if rank is None else cov0 @ cov1 + 1e-14 * np.eye(d))
    expected = ((mu0 - mu1) ** 2).sum() + np.trace(cov0 + cov1 - 2. * np.real(root))
    assert frechet_distance(mu0, cov0, mu1, cov1) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(mu1, cov1, mu0, cov0) == pytest.approx(expected, rel=1e-6)


@singular
@pytest.mark.parametrize('rank', [None, 7])
def test_zero_from_itself(rank):
    cov = random_covariance(np.random.default_rng(1), 30, rank)
    assert 0. <= frechet_distance(np.ones(30), cov, np.ones(30), cov) < 1e-6 * np.trace(cov)


@pytest.mark.parametrize('arguments, message', [
    (([0.], [[1.]], [0., 0.], np.eye(2)), 'one dimension, got 1 and 2'),
    (([0., 0.], np.eye(3), [0., 0.], np.eye(2)), r'got \(2,\) and \(3, 3\)'),
    (([np.nan], [[1.]], [0.], [[1.]]), 'finite'),
    (([0.], [[1.]], [0.], [[np.inf]]), 'finite')])
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(*arguments)


@pytest.mark.parametrize('n0, n1, told', [(20, 200, 'first covariance has rank 19 of 30'),
                                          (200, 30, 'second covariance has rank 29 of 30')])
def test_fewer_samples_than_dimensions(n0, n1, told):
    """Finite, real, said; and that of the same samples with as good as no more variance, which is not singular."""
    rng = np.random.default_rng(3)
    left, right = (FeatureStatistics().update(rng.normal(size=(n, 30)) + shift) for n, shift in ((n0, 0.), (n1, .5)))
    with pytest.warns(SingularCovarianceWarning, match=told) as caught:
        distance = frechet_distance(left.mean, left.cov, right.mean, right.cov)
    assert len(caught) == 1
    jitter = 1e-8 * np.eye(30)
    full = frechet_distance(left.mean, left.cov + jitter, right.mean, right.cov + jitter)
    assert type(distance) is float
    assert distance == pytest.approx(full, rel=1e-3)


def test_no_warning_with_samples_enough():
    feats = np.random.default_rng(4).normal(size=(31, 30)) * np.logspace(-4, 0, 30)
    statistics = FeatureStatistics().update(feats)
    frechet_distance(statistics.mean, statistics.cov, np.zeros(30), np.eye(30))


@pytest.mark.long
def test_inceptions_dimensions_take_seconds():
    """Less than four decompositions of a symmetric matrix, on any machine; by a complex square root it took eight."""
    rng = np.random.default_rng(5)
    covs = [random_covariance(rng, 2048) + 1e-6 * np.eye(2048) for _ in range(2)]
    with threadpool_limits(1):  # threads that wait for a busy core count as computing
        seconds = computing(frechet_distance, np.zeros(2048), covs[0], np.ones(2048), covs[1])
        assert seconds < 4. * computing(np.linalg.eigh, covs[0])


def computing(function, *args):
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def test_no_covariance():
    """Symmetric and with variances of its own on the diagonal, but negative along (1, -1)."""
    for first, second in ((np.eye(2), [[1., 2.], [2., 1.]]), ([[1., 2.], [2., 1.]], np.eye(2))):
        with pytest.raises(ValueError, match='covariance has negative variances'):
            frechet_distance(np.zeros(2), first, np.zeros(2), second)
