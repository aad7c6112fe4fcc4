from gen_models.resnet_32 import ResNetGenerator
from source.extensions.calc_scores import CalcScores
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.judging import judge, reference_statistics, scores_of
from tests.feature_network import FakeFeatureNetwork

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('n_classes, names', [
    (10, {'is_mean', 'is_std', 'fid', 'recognized'}), (0, {'is_mean', 'is_std', 'fid'})])
def test_reports_the_scores_of_the_same_samples_every_time(n_classes, names):
    gen, network = ResNetGenerator(ch=4, dim_z=3, bottom_width=1, n_classes=n_classes), FakeFeatureNetwork()
    gen(8)
    reference = reference_statistics(np.random.RandomState(0).randint(256, size=(30, 3, 8, 8), dtype=np.uint8), network)
    extension = CalcScores(gen, network, lambda: reference, n_images=25, splits=3, seed=(5, 3))
    extension.initialize(None)
    observations = []
    for seed in (0, 1):
        np.random.seed(seed)
        observations.append({})
        with chainer.Reporter().scope(observations[-1]):
            extension(None)
    ims, y = generate_ims(gen, 25, NoiseSampler(3, n_classes, seed=(5, 3)))
    scores = scores_of(judge([(ims, y)], network, 25), network, reference=reference, splits=3)
    assert set(scores) == names
    assert observations == [{f'digits_{name}': pytest.approx(score) for name, score in scores.items()}] * 2
    assert observations[0] == observations[1]
    other = {}
    with chainer.Reporter().scope(other):
        extension.seed = (6, 3)
        extension(None)
    assert other['digits_fid'] != observations[0]['digits_fid']
