from source.datasets.image_dataset import ImageDataset
from source.metrics.inception_score import inception_score
from source.scoring import reference_statistics, score_samples

import numpy as np
import pytest


class MeanColours:
    """A network whose features are the mean colour, and whose class is the strongest of the three channels."""

    name, digest = 'mean colours', ''

    def __init__(self, n_classes=3):
        self.n_classes = n_classes

    def __call__(self, ims):
        feats = ims.mean(axis=(2, 3)).astype(np.float32)
        return feats, feats / feats.sum(axis=1, keepdims=True)


@pytest.fixture
def ims():
    return np.random.default_rng(0).integers(0, 256, (1203, 3, 2, 2), dtype=np.uint8)


class Shifting(ImageDataset):
    """Adds noise wherever an rng is given, as an augmenting dataset would."""

    def load_ims(self, indices, rng=None):
        return self.ims[indices] if rng is None else 255 - self.ims[indices]


def test_reference_is_of_the_plain_images(ims):
    feats = ims.mean(axis=(2, 3))
    dataset = Shifting(ims, np.zeros(len(ims)), 1)
    for images in (ims, dataset):
        statistics = reference_statistics(images, MeanColours())
        assert statistics.n == 1203
        np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(statistics.cov, np.cov(feats, rowvar=False), rtol=1e-5)


def test_scores(ims):
    network = MeanColours()
    y = ims.mean(axis=(2, 3)).argmax(axis=1)
    y[:300] = (y[:300] + 1) % 3
    scores = score_samples(ims, y, network, reference_statistics(ims // 2 * 2, network), splits=7)
    assert set(scores) == {'is_mean', 'is_std', 'fid', 'recognized'}
    assert all(type(value) is float for value in scores.values())
    assert (scores['is_mean'], scores['is_std']) == inception_score(network(ims)[1], 7)
    assert scores['recognized'] == pytest.approx(903 / 1203)
    assert scores['fid'] == pytest.approx(3 * .5 ** 2, rel=.1)  # dropping the last bit lowers each mean by a half


@pytest.mark.parametrize('y, n_classes', [(None, 3), ([0, 1, 3], 3), ([0, 1, 2], 0)])
def test_recognition_needs_the_networks_classes(ims, y, n_classes):
    network = MeanColours(n_classes)
    labels = y and np.resize(y, len(ims))
    assert set(score_samples(ims, labels, network, reference_statistics(ims, network))) == {'is_mean', 'is_std', 'fid'}
