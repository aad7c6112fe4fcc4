from source.config.build import real_images_of
from source.config.yaml_utils import load_config
from source.scoring.reference import RealImages
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import write_config

import numpy as np
import pytest


@pytest.mark.parametrize('split, n, expected, text', [
    ('train', None, 1437, '1437 training images'), ('test', None, 360, '360 test images'),
    ('train', 1000, 1000, '1000 of 1437 training images'), ('train', 1437, 1437, '1437 training images'),
    ('test', 10000, 360, '360 test images (10000 are asked for)'), ('test', 360, 360, '360 test images'),
    # as STL-10's 8,000 where 10,000 are asked for
    ('test', 361, 361, '361 of 1437 training images (the test set has only 360)'),
    ('test', 1437, 1437, '1437 training images (the test set has only 360)')])
def test_choice(tmp_path, monkeypatch, split, n, expected, text):
    path = write_config(tmp_path)
    real = RealImages(real_images_of(load_config(path), path), split=split, n=n)
    assert (real.n, real.text, real.split) == (expected, text, 'train' if 'training' in text else 'test')
    statistics = real.statistics(FakeFeatureNetwork())
    assert (statistics.n, statistics.images) == (expected, f'{text} of DigitsDataset')
    plain, feats = real.statistics_and_feats(FakeFeatureNetwork())
    assert plain.n == len(feats) == expected
    np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(plain.cov, statistics.cov)
    monkeypatch.setattr(FakeFeatureNetwork, '__call__', lambda *_: 1 / 0)
    assert real.statistics(FakeFeatureNetwork()).n == expected  # from the cache


def test_no_test_set(tmp_path):
    (tmp_path / 'mine.py').write_text(
        'from source.datasets.digits import DigitsDataset\n\n\nclass Mine(DigitsDataset):\n'
        '    def __init__(self, size=8):\n        super().__init__("train", size)\n')
    path = write_config(tmp_path, {'dataset': {'dataset_fn': 'mine.py', 'dataset_name': 'Mine'}})
    real = RealImages(real_images_of(load_config(path), path), split='test', n=100)
    assert (real.split, real.text) == ('train', '100 of 1437 training images (there is no test set)')
