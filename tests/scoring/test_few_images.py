from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.scoring.few_images import caution

import numpy as np
import pytest

FID = 'FID of fewer than 10000 is too high, by about 1/N: compare it at equal numbers alone'
KID = 'KID of fewer than 2000 is noisier than its std says'


@pytest.mark.parametrize('counts, metrics, singular, parts', [
    ((9999, 50000), ('is', 'fid', 'kid'), (), [FID]), ((50000, 9999), ('fid',), (), [FID]),
    ((10000, 10000), ('is', 'fid', 'kid'), (), []), ((1999, None), ('fid', 'kid'), (), [FID, KID]),
    ((1999, 50000), ('kid',), (), [KID]), ((2000, 50000), ('kid',), (), []), ((5, 5), ('is', 'pr'), (), []),
    ((50000, 10000), ('fid',), ('rank 3 of 8',), ['rank 3 of 8'])])
def test_from_which_numbers_on(counts, metrics, singular, parts):
    expected = f'caution: these: {"; ".join(parts)}' if parts else None
    assert caution('these', counts, metrics, singular, 1000) == expected


def test_fid_of_equal_distributions_falls_as_one_over_n():
    def fid(n):
        left, right = (FeatureStatistics().update(np.random.default_rng(seed).normal(size=(n, 20)))
                       for seed in (n, n + 1))
        return frechet_distance(left.mean, left.cov, right.mean, right.cov)
    assert fid(200) / fid(2000) == pytest.approx(10, rel=.3)


def test_std_of_kid_is_less_than_its_error_below_two_subsets():
    """Where feature means differ, so that the mean over subsets is about linear in them."""
    def kids(n):
        found = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            x, y = rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) + 1.
            found.append(kernel_inception_distance(x, y, 30, 40))
        means, stds = np.transpose(found)
        return np.mean(stds) / np.std(means)
    assert kids(50) < .75 and kids(160) > 1.3
