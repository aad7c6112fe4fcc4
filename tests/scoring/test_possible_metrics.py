from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.scoring.judging import METRICS
from source.scoring.possible_metrics import FEWEST, NAMES, too_few

import numpy as np
import pytest

METRIC = {'fid': lambda x, y: [FeatureStatistics().update(feats).cov for feats in (x, y)],
          'kid': lambda x, y: kernel_inception_distance(x, y, 2, min(len(x), len(y))), 'pr': precision_recall}


@pytest.mark.parametrize('metric', FEWEST)
def test_says_what_the_metric_takes(metric):
    n = FEWEST[metric]
    feats = np.random.RandomState(0).normal(size=(2, n, 3))
    assert too_few(metric, n, n) is None
    METRIC[metric](*feats)
    for x, y, kind in ((feats[0][1:], feats[1], 'images'), (feats[0], feats[1][1:], 'real images')):
        assert too_few(metric, len(x), len(y)) == f'expected at least {n} {kind}, found {n - 1}'
        with pytest.raises(ValueError):
            METRIC[metric](x, y)


def test_splits():
    assert too_few('is', 3, splits=3) is None and too_few('is', None, splits=3) is None
    assert too_few('is', 2, splits=3) == 'expected at least as many images as splits (3), found 2'
    inception_score(np.full((3, 2), .5), 3)
    with pytest.raises(ValueError, match='splits'):
        inception_score(np.full((2, 2), .5), 3)


def test_all_are_named():
    assert set(NAMES) == set(METRICS) == {*FEWEST, 'is'}
