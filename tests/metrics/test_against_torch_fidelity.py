"""The same features give the same scores as torch-fidelity's: its own numbers, kept, and live where it is installed."""
import json
import os

from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from tests.metrics import reference_cases as cases
from tests.metrics.reference_cases import GOLDEN, features, few_features

import numpy as np
import pytest
from scipy.special import softmax

# torch-fidelity's precision and recall are means of float32; FID of singular covariances is of rounding's square root.
TOLERANCES = {'fid_few': 1e-4}


def scores():
    mean_and_std = inception_score(softmax(cases.logits(), axis=1), cases.SPLITS)
    result = {'is_mean': mean_and_std[0], 'is_std': mean_and_std[1], 'fid': distance(*features())}
    with pytest.warns(SingularCovarianceWarning):
        result['fid_few'] = distance(*few_features())
    result['kid_mean'], result['kid_std'] = kernel_inception_distance(
        *features(), cases.N_SUBSETS, cases.SUBSET_SIZE, np.random.RandomState(cases.KID_SEED))
    result['precision'], result['recall'] = precision_recall(*features(), k=cases.K)
    return result


def distance(*pair):
    left, right = (FeatureStatistics().update(feats) for feats in pair)
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name in expected:
        assert found[name] == pytest.approx(expected[name], rel=TOLERANCES.get(name, 1e-6), abs=0.), name


def test_kept_numbers():
    expected = json.loads(GOLDEN.read_text())
    assert 0 < expected['precision'] < 1 and 0 < expected['recall'] < 1 and expected['kid_mean'] > 0
    assert_same(scores(), expected)


def test_live():
    expected = cases.torch_fidelity_scores()
    if os.environ.get('SNGAN_WRITE_GOLDEN') == '1':
        GOLDEN.write_text(json.dumps(expected, indent=2) + '\n')
    assert_same(scores(), expected)
