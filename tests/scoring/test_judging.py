import tracemalloc

from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.feature_networks import load_feature_network
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.scoring.judging import judge, judge_real, reference_statistics, scores_of

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


def batches(ims, y=None, size=100):
    for start in range(0, len(ims), size):
        yield ims[start:start + size], None if y is None else y[start:start + size]


class Shifting(ImageDataset):
    """Adds noise wherever an rng is given, as an augmenting dataset would."""

    def load_ims(self, indices, rng=None):
        return self.ims[indices] if rng is None else 255 - self.ims[indices]


@pytest.mark.parametrize('indices', [None, np.arange(3, 1203, 2)])
def test_reference_is_of_the_plain_images(ims, indices):
    chosen = ims if indices is None else ims[indices]
    feats = chosen.mean(axis=(2, 3))
    dataset = Shifting(ims, np.zeros(len(ims)), 1)
    for images in (ims, dataset):
        statistics = reference_statistics(images, MeanColours(), indices)
        assert statistics.n == len(chosen)
        np.testing.assert_allclose(statistics.mean, feats.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(statistics.cov, np.cov(feats, rowvar=False), rtol=1e-5)


@pytest.mark.parametrize('n_compared', [None, 1203, 250, 100, 7])
def test_what_is_kept(ims, n_compared):
    network, y = MeanColours(), np.arange(1203)
    feats, probs = network(ims)
    n = n_compared or 1203
    keep = np.random.default_rng(1).random(n) < .5
    judged = judge(batches(ims, y), network, 1203, n_compared, keep_feats=keep)
    np.testing.assert_array_equal(judged.probs, probs)
    assert judged.probs.dtype == judged.feats.dtype == np.float32
    np.testing.assert_array_equal(judged.feats, feats[:n][keep])
    np.testing.assert_array_equal(judged.y, y)
    assert judged.statistics.n == n
    np.testing.assert_allclose(judged.statistics.mean, feats[:n].mean(axis=0, dtype=np.float64), rtol=1e-12)
    bare = judge(batches(ims), network, 1203, keep_probs=False)
    assert (bare.probs, bare.feats, bare.y) == (None, None, None)


def test_counts_the_images(ims):
    for n in (1202, 1204):
        with pytest.raises((ValueError, IndexError)):
            judge(batches(ims), MeanColours(), n)
    with pytest.raises(ValueError, match='expected 1300 images, got 1203'):
        judge(batches(ims), MeanColours(), 1300, keep_probs=False)


def test_batches_of_any_size_give_the_same_bits(ims):
    network = MeanColours()
    reference, real_feats = reference_statistics(ims[::-1], network), network(ims[300:] // 2)[0]
    found = []
    for size in (1, 13, 500, 1203):
        judged = judge(batches(ims, size=size), network, 1203, keep_feats=np.ones(1203, bool))
        found.append(scores_of(judged, network, ('is', 'fid', 'kid', 'pr'), reference, real_feats, subset_size=200))
    assert all(scores == found[0] for scores in found[1:])


def test_a_networks_batches_change_what_float32_rounds():
    """A network's products round otherwise in batches of another size: less than 1e-6 of a score."""
    network, digits = load_feature_network('digits'), DigitsDataset('test')
    reference = reference_statistics(DigitsDataset().ims[:500], network)
    found = []
    for size in (360, 50, 7):
        judged = judge(batches(digits.ims, size=size), network, 360)
        found.append(scores_of(judged, network, reference=reference, splits=3))
    for scores in found[1:]:
        assert scores == {name: pytest.approx(value, rel=1e-6) for name, value in found[0].items()}


def test_memory_is_that_of_a_batch():
    """Twenty times as many images: nothing more but what is kept of them, the probabilities."""
    ims = np.random.default_rng(0).integers(0, 256, (100, 3, 16, 16), dtype=np.uint8)

    def peak_bytes(n):
        tracemalloc.start()
        judged = judge(((ims, None) for _ in range(n // 100)), MeanColours(), n)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - judged.probs.nbytes
    peak_bytes(1000)
    assert peak_bytes(40000) < 1.2 * peak_bytes(2000)


def test_real_feats_are_a_choice_that_stays(ims, monkeypatch):
    monkeypatch.setattr('source.scoring.judging.N_KEPT', 50)
    first, second = (judge_real(ims, MeanColours(), np.arange(1000), keep_feats=True) for _ in range(2))
    assert first.feats.shape == (50, 3)
    np.testing.assert_array_equal(first.feats, second.feats)
    feats = MeanColours()(ims[:1000])[0]
    places = [np.flatnonzero((feats == row).all(axis=1))[0] for row in first.feats]
    assert len(set(places)) == 50 and max(places) > 900 and min(places) < 100
    assert first.statistics.n == 1000


def test_scores(ims):
    network = MeanColours()
    y = ims.mean(axis=(2, 3)).argmax(axis=1)
    y[:300] = (y[:300] + 1) % 3
    real = ims // 2 * 2
    reference, real_feats = reference_statistics(real, network), network(real)[0]
    judged = judge(batches(ims, y), network, 1203, keep_feats=np.ones(1203, bool))
    scores = scores_of(judged, network, ('is', 'fid', 'kid', 'pr'), reference, real_feats, 7, 4, 90)
    assert set(scores) == {'is_mean', 'is_std', 'fid', 'kid_mean', 'kid_std', 'precision', 'recall', 'recognized'}
    assert all(type(value) is float for value in scores.values())
    feats, probs = network(ims)
    assert (scores['is_mean'], scores['is_std']) == inception_score(probs, 7)
    assert scores['recognized'] == pytest.approx(903 / 1203)
    assert scores['fid'] == pytest.approx(3 * .5 ** 2, rel=.1)  # dropping the last bit lowers each mean by a half
    assert scores['fid'] == pytest.approx(frechet_distance(
        feats.mean(axis=0), np.cov(feats, rowvar=False), reference.mean, reference.cov), rel=1e-4)
    assert (scores['kid_mean'], scores['kid_std']) == kernel_inception_distance(real_feats, feats, 4, 90)
    assert (scores['precision'], scores['recall']) == precision_recall(real_feats, feats)


@pytest.mark.parametrize('metrics, names', [
    (['is'], {'is_mean', 'is_std'}), (['fid'], {'fid'}), (['kid'], {'kid_mean', 'kid_std'}),
    (['pr'], {'precision', 'recall'})])
def test_only_what_is_asked_for(ims, metrics, names):
    network = MeanColours()
    judged = judge(batches(ims), network, 1203, keep_feats=np.ones(1203, bool))
    reference = reference_statistics(ims, network)
    assert set(scores_of(judged, network, metrics, reference, network(ims)[0], subset_size=100)) == names


@pytest.mark.parametrize('splits, n_subsets, size, names', [
    (1, 4, 90, {'is_mean', 'kid_mean', 'kid_std'}), (2, 1, 90, {'is_mean', 'is_std', 'kid_mean'}),
    (2, 4, 1203, {'is_mean', 'is_std', 'kid_mean'})])
def test_a_std_of_one_value_is_left_out(ims, splits, n_subsets, size, names):
    network = MeanColours()
    judged = judge(batches(ims), network, 1203, keep_feats=np.ones(1203, bool))
    assert set(scores_of(judged, network, ('is', 'kid'), None, network(ims)[0], splits, n_subsets, size)) == names


@pytest.mark.parametrize('y, n_classes', [(None, 3), ([0, 1, 3], 3), ([0, 1, 2], 0)])
def test_recognition_needs_the_networks_classes(ims, y, n_classes):
    network = MeanColours(n_classes)
    labels = None if y is None else np.resize(y, len(ims))
    judged = judge(batches(ims, labels), network, 1203)
    scores = scores_of(judged, network, reference=reference_statistics(ims, network))
    assert set(scores) == {'is_mean', 'is_std', 'fid'}
