"""The same numbers from CuPy's arrays as from NumPy's."""
from source.metrics.density_coverage import density_coverage
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.ms_ssim import ms_ssim
from source.metrics.precision_recall import precision_recall
from tests.metrics.reference_cases import features, logits

import numpy as np
import pytest
from chainer.backends import cuda
from scipy.special import softmax


def distance(*pair):
    left, right = (FeatureStatistics().update(feats[:100]).update(feats[100:]) for feats in pair)
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def ims():
    return np.random.RandomState(0).randint(256, size=(2, 3, 3, 40, 36)).astype(np.uint8)


@pytest.mark.gpu
@pytest.mark.parametrize('score, arrays', [
    (lambda probs: inception_score(probs, 7), [softmax(logits(), axis=1)]), (distance, features()),
    (lambda *pair: kernel_inception_distance(*pair, 5, 50), features()), (precision_recall, features()),
    (density_coverage, features()),
    (lambda *pair: cuda.to_cpu(ms_ssim(*pair)), ims())], ids=['is', 'fid', 'kid', 'pr', 'dc', 'ms_ssim'])
def test_same_as_on_the_cpu(score, arrays):
    assert score(*map(cuda.to_gpu, arrays)) == pytest.approx(score(*arrays), rel=1e-9)
