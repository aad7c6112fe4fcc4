import tracemalloc

from source.metrics.feature_statistics import BLOCK, FeatureStatistics

import numpy as np
import pytest


@pytest.fixture
def feats():
    rng = np.random.default_rng(0)
    return rng.normal(size=(101, 6)) @ rng.normal(size=(6, 6)) + 3.


def assert_is_numpys(statistics, feats, rtol=1e-12):
    assert statistics.n == len(feats)
    assert statistics.mean.dtype == statistics.cov.dtype == np.float64
    np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=rtol)
    np.testing.assert_allclose(statistics.cov, np.cov(feats, rowvar=False), rtol=rtol, atol=1e-12)


def test_merge_leaves_the_other_alone(feats):
    left, right = FeatureStatistics().update(feats[:30]), FeatureStatistics().update(feats[30:])
    total = FeatureStatistics().merge(FeatureStatistics()).merge(left).merge(right)
    assert_is_numpys(total, feats)
    total.update(feats + 5.)
    assert_is_numpys(left, feats[:30])
    assert_is_numpys(right, feats[30:])


def test_float32_far_from_zero(feats):
    far = (feats * 1e-2 + 1000.).astype(np.float32)
    statistics = FeatureStatistics()
    for part in np.split(far, 10 * np.arange(1, 10)):
        statistics.update(part)
    assert_is_numpys(statistics, far.astype(np.float64), rtol=1e-8)


def test_parts_of_any_size_give_the_same_bits():
    feats = np.random.default_rng(1).normal(size=(2 * BLOCK + 77, 5)).astype(np.float32)
    found = []
    for size in (1, 7, 100, BLOCK, len(feats)):
        statistics = FeatureStatistics()
        for start in range(0, len(feats), size):
            statistics.update(feats[start:start + size]).update(feats[:0])
        found.append((statistics.mean.tobytes(), statistics.cov.tobytes()))
    assert len(set(found)) == 1
    assert_is_numpys(statistics, feats.astype(np.float64), rtol=1e-10)


def test_memory_does_not_grow_with_the_number():
    def peak_bytes(n):
        part = np.random.default_rng(2).normal(size=(500, 20)).astype(np.float32)
        tracemalloc.start()
        statistics = FeatureStatistics()
        for _ in range(n // len(part)):
            statistics.update(part)
        _ = statistics.cov
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert statistics.n == n
        return peak
    peak_bytes(10000)  # what is allocated once
    assert peak_bytes(1000000) < 1.1 * peak_bytes(10000)


def test_refuses(feats):
    with pytest.raises(ValueError, match=r'expected \(N, D\), finite; got \(6,\)'):
        FeatureStatistics().update(feats[0])
    with pytest.raises(ValueError, match='finite'):
        FeatureStatistics().update(np.array([[np.inf]]))
    with pytest.raises(ValueError, match='expected 6 dimensions as before, got 5'):
        FeatureStatistics().update(feats).update(feats[:, :5])
    with pytest.raises(ValueError, match='at least 2 features, there are 1'):
        _ = FeatureStatistics().update(feats[:1]).cov
