import tracemalloc

from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.feature_networks import load_feature_network
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.scoring.judging import METRICS, judge, judge_real, reference_statistics, scores_of

import numpy as np
import pytest


class MeanColours:
    """A network whose features are the mean colour, and whose class is the strongest of the three channels."""

    n_classes = 3

    def __call__(self, ims):
        feats = ims.mean(axis=(2, 3)).astype(np.float32)
        return feats, feats / feats.sum(axis=1, keepdims=True)


NETWORK = MeanColours()
IMS = np.random.default_rng(0).integers(0, 256, (1203, 3, 2, 2), dtype=np.uint8)
FEATS, PROBS = NETWORK(IMS)
REAL = IMS // 2 * 2
ALL = np.ones(1203, bool)


def batches(ims=IMS, y=None, size=100):
    for start in range(0, len(ims), size):
        yield ims[start:start + size], None if y is None else y[start:start + size]


class Shifting(ImageDataset):
    """Adds noise wherever an rng is given, as an augmenting dataset would."""

    def load_ims(self, indices, rng=None):
        return self.ims[indices] if rng is None else 255 - self.ims[indices]


@pytest.mark.parametrize('indices', [None, np.arange(3, 1203, 2)])
def test_reference_is_of_the_plain_images(indices):
    feats = IMS.mean(axis=(2, 3))[slice(None) if indices is None else indices]
    for images in (IMS, Shifting(IMS, np.zeros(1203), 1)):
        statistics = reference_statistics(images, NETWORK, indices)
        assert statistics.n == len(feats)
        np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(statistics.cov, np.cov(feats, rowvar=False), rtol=1e-5)


@pytest.mark.parametrize('n_compared', [None, 250, 100, 7])
def test_what_is_kept(n_compared):
    n, y = n_compared or 1203, np.arange(1203)
    keep = np.random.default_rng(1).random(n) < .5
    judged = judge(batches(y=y), NETWORK, 1203, n_compared, keep_feats=keep)
    np.testing.assert_array_equal(judged.probs, PROBS, strict=True)
    np.testing.assert_array_equal(judged.feats, FEATS[:n][keep], strict=True)
    np.testing.assert_array_equal(judged.y, y)
    assert judged.statistics.n == n
    np.testing.assert_allclose(judged.statistics.mean, FEATS[:n].mean(axis=0, dtype=np.float64), rtol=1e-12)
    bare = judge(batches(), NETWORK, 1203, keep_probs=False)
    assert (bare.probs, bare.feats, bare.y) == (None, None, None)


def test_counts_the_images():
    for n in (1202, 1204):
        with pytest.raises((ValueError, IndexError)):
            judge(batches(), NETWORK, n)
    with pytest.raises(ValueError, match='expected 1300 images, got 1203'):
        judge(batches(), NETWORK, 1300, keep_probs=False)


def test_batches_of_any_size_give_the_same_bits():
    reference, real_feats = reference_statistics(IMS[::-1], NETWORK), NETWORK(IMS[300:] // 2)[0]
    first, *others = (scores_of(judge(batches(size=size), NETWORK, 1203, keep_feats=ALL), NETWORK, METRICS, reference,
                                real_feats, subset_size=200) for size in (13, 500, 1203))
    assert all(scores == first for scores in others)


def test_a_networks_batches_change_what_float32_rounds():
    """A network's products round otherwise in batches of another size: less than 1e-6 of a score."""
    network, digits = load_feature_network('digits'), DigitsDataset('test')
    reference = reference_statistics(DigitsDataset().ims[:500], network)
    whole, parts = (scores_of(judge(batches(digits.ims, size=size), network, 360), network, reference=reference,
                              splits=3) for size in (360, 50))
    assert parts == {name: pytest.approx(value, rel=1e-6) for name, value in whole.items()}


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
    assert first.statistics.n == 1000 and first.feats.shape == (50, 3)
    np.testing.assert_array_equal(first.feats, second.feats)
    places = [np.flatnonzero((FEATS[:1000] == row).all(axis=1))[0] for row in first.feats]
    assert len(set(places)) == 50 and max(places) > 900 and min(places) < 100


def test_scores():
    y = FEATS.argmax(axis=1)
    y[:300] = (y[:300] + 1) % 3
    reference, real_feats = reference_statistics(REAL, NETWORK), NETWORK(REAL)[0]
    judged = judge(batches(y=y), NETWORK, 1203, keep_feats=ALL)
    scores = scores_of(judged, NETWORK, METRICS, reference, real_feats, 7, 4, 90)
    assert set(scores) == {*NAMES, 'recognized'}
    assert all(type(value) is float for value in scores.values())
    assert (scores['is_mean'], scores['is_std']) == inception_score(PROBS, 7)
    assert scores['recognized'] == pytest.approx(903 / 1203)
    assert scores['fid'] == pytest.approx(3 * .5 ** 2, rel=.1)  # dropping the last bit lowers each mean by a half
    assert scores['fid'] == pytest.approx(frechet_distance(
        FEATS.mean(axis=0), np.cov(FEATS, rowvar=False), reference.mean, reference.cov), rel=1e-4)
    assert (scores['kid_mean'], scores['kid_std']) == kernel_inception_distance(real_feats, FEATS, 4, 90)
    assert (scores['precision'], scores['recall']) == precision_recall(real_feats, FEATS)


NAMES = {'is_mean', 'is_std', 'fid', 'kid_mean', 'kid_std', 'precision', 'recall'}


@pytest.mark.parametrize('metrics, arguments, names', [
    (['is'], {}, {'is_mean', 'is_std'}), (['fid'], {}, {'fid'}), (['kid'], {}, {'kid_mean', 'kid_std'}),
    (['pr'], {}, {'precision', 'recall'}), (METRICS, {}, NAMES), (METRICS, {'splits': 1}, NAMES - {'is_std'}),
    (METRICS, {'n_subsets': 1}, NAMES - {'kid_std'}), (METRICS, {'subset_size': 1203}, NAMES - {'kid_std'})])
def test_only_what_is_asked_for_and_no_std_of_one_value(metrics, arguments, names):
    judged = judge(batches(), NETWORK, 1203, keep_feats=ALL)
    assert set(scores_of(judged, NETWORK, metrics, reference_statistics(REAL, NETWORK), NETWORK(REAL)[0],
                         **{'n_subsets': 4, 'subset_size': 90, **arguments})) == names


@pytest.mark.parametrize('y, n_classes', [([0, 1, 3], 3), ([0, 1, 2], 0)])
def test_recognition_needs_the_networks_classes(monkeypatch, y, n_classes):
    monkeypatch.setattr(NETWORK, 'n_classes', n_classes)
    judged = judge(batches(y=np.resize(y, 1203)), NETWORK, 1203)
    assert set(scores_of(judged, NETWORK, ['is'])) == {'is_mean', 'is_std'}
