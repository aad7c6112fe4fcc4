import tracemalloc

from source.datasets.image_dataset import ImageDataset
from source.scoring.judging import judge, judge_real, reference_statistics, scores_of
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest

NETWORK = FakeFeatureNetwork()
IMS = np.random.default_rng(0).integers(0, 256, (1203, 3, 4, 4), dtype=np.uint8)
FEATS, PROBS = NETWORK(IMS)


def batches(y=None):
    for start in range(0, 1203, 100):
        yield IMS[start:start + 100], None if y is None else y[start:start + 100]


class Shifting(ImageDataset):
    """Changes images wherever an rng is given, as an augmenting dataset would."""

    def load_ims(self, indices, rng=None):
        return self.ims[indices] if rng is None else 255 - self.ims[indices]


@pytest.mark.parametrize('indices', [None, np.arange(3, 1203, 2)])
def test_reference_is_of_the_plain_images(indices):
    feats = FEATS if indices is None else FEATS[indices]
    for images in (IMS, Shifting(IMS, np.zeros(1203), 1)):
        statistics = reference_statistics(images, NETWORK, indices)
        assert statistics.n == len(feats)
        np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(statistics.cov, np.cov(feats, rowvar=False), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize('n_compared', [None, 250, 100, 7])
def test_what_is_kept(n_compared):
    n, y = n_compared or 1203, np.arange(1203)
    keep = np.random.default_rng(1).random(n) < .5
    judged = judge(batches(y), NETWORK, 1203, n_compared, keep_feats=keep)
    np.testing.assert_array_equal(judged.probs, PROBS, strict=True)
    np.testing.assert_array_equal(judged.feats, FEATS[:n][keep], strict=True)
    np.testing.assert_array_equal(judged.y, y)
    assert judged.statistics.n == n
    np.testing.assert_allclose(judged.statistics.mean, FEATS[:n].mean(axis=0, dtype=np.float64), rtol=1e-12)
    bare = judge(batches(), NETWORK, 1203, keep_probs=False)
    assert (bare.probs, bare.feats, bare.y) == (None, None, None)


def test_counts_the_images():
    for n in (1200, 1300):
        with pytest.raises(ValueError, match=f'expected {n} images, got 1203'):
            judge(batches(), NETWORK, n, keep_probs=False)


def test_memory_is_that_of_a_batch():
    """Twenty times as many images: nothing more but what is kept of them, the probabilities."""
    ims = np.random.default_rng(0).integers(0, 256, (100, 3, 16, 16), dtype=np.uint8)

    def peak_bytes(n):
        tracemalloc.start()
        judged = judge(((ims, None) for _ in range(n // 100)), NETWORK, n)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - judged.probs.nbytes
    peak_bytes(1000)
    assert peak_bytes(40000) < 1.2 * peak_bytes(2000)


def test_real_feats_are_a_choice_that_stays(monkeypatch):
    monkeypatch.setattr('source.scoring.judging.N_KEPT', 50)
    first, second = (judge_real(IMS, NETWORK, np.arange(1000), keep_feats=True) for _ in range(2))
    assert first.statistics.n == 1000 and first.feats.shape == (50, 4)
    np.testing.assert_array_equal(first.feats, second.feats)
    places = [np.flatnonzero((FEATS[:1000] == row).all(axis=1))[0] for row in first.feats]
    assert len(set(places)) == 50 and max(places) > 900 and min(places) < 100


def test_classes_that_the_network_does_not_know_are_not_recognized():
    y = PROBS.argmax(axis=1)
    y[:300] += 1
    scores = scores_of(judge(batches(y), NETWORK, 1203), NETWORK, ['is'])
    assert set(scores) == {'is_mean', 'is_std', 'recognized'} and scores['recognized'] == pytest.approx(903 / 1203)
    for y[0] in (10, 11):
        assert set(scores_of(judge(batches(y), NETWORK, 1203), NETWORK, ['is'])) == {'is_mean', 'is_std'}
