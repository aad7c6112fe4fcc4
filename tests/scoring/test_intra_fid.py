import warnings

from source.datasets.image_dataset import ImageDataset
from source.metrics.frechet_distance import frechet_distance
from source.miscs.journal import Journal
from source.scoring.image_sources import StoredImages
from source.scoring.intra_fid import intra_fid
from source.scoring.judging import reference_statistics
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest


def dataset(seed, n=400):
    rng = np.random.RandomState(seed)
    labels = rng.randint(4, size=n)
    ims = rng.randint(40 + 40 * labels[:, None, None, None], 256, size=(n, 3, 8, 8)).astype(np.uint8)
    return ImageDataset(ims, labels, 4)


def score(path, real, fake):
    def of_class(c):
        return reference_statistics(real, FakeFeatureNetwork(), np.flatnonzero(real.labels == c))
    return intra_fid(StoredImages(fake), of_class, FakeFeatureNetwork(), 4, 60, Journal(path, 'class', {'a': 1}))


def test_mean_over_classes(tmp_path):
    real, fake = dataset(0), dataset(1)
    order = np.random.RandomState(0).permutation(len(fake))  # of the stored images; 60 of each class are compared
    expected = []
    for c in range(4):
        moments = []
        for ims in (real.ims[real.labels == c], fake.ims[order[fake.labels[order] == c][:60]]):
            feats = FakeFeatureNetwork()(ims)[0].astype(np.float64)
            moments += [feats.mean(axis=0), np.cov(feats, rowvar=False)]
        expected.append(frechet_distance(*moments))
    found = score(tmp_path / 'a', real, fake)
    assert found == {'intra_fid': pytest.approx(np.mean(expected), rel=1e-9), 'n_classes': 4, 'too_few': [],
                     'singular': 0}


def test_a_warning_of_something_else_is_not_lost(tmp_path, monkeypatch):
    def distance(*_):
        warnings.warn('overflow', RuntimeWarning, stacklevel=1)
        return 1.
    monkeypatch.setattr('source.scoring.intra_fid.frechet_distance', distance)
    with pytest.warns(RuntimeWarning, match='overflow'):
        assert score(tmp_path / 'a', dataset(0), dataset(1))['singular'] == 0


def without(dataset, c, n_left):
    """The data set with all but the first of a class removed."""
    kept = np.flatnonzero((dataset.labels != c) | (np.cumsum(dataset.labels == c) <= n_left))
    return ImageDataset(dataset.ims[kept], dataset.labels[kept], 4)


def test_classes_of_too_few_images(tmp_path):
    """One real image, or one generated, of a class: told and left out; fewer than dimensions: counted."""
    real, fake = without(dataset(0), 2, 1), without(dataset(1), 0, 5)
    found = score(tmp_path / 'few', real, fake)
    assert (found['n_classes'], found['too_few'], found['singular']) == (3, [2], 1)
    entries = Journal(tmp_path / 'few', 'class', {'a': 1}).entries
    assert found['intra_fid'] == pytest.approx(np.mean([entries[c]['fid'] for c in (0, 1, 3)]), rel=1e-12)
    assert [entries[c]['n_images'] for c in range(4)] == [5, 60, 60, 60]
    assert entries[2]['n_real'] == 1 and entries[2]['fid'] is None
    nothing = ImageDataset(fake.ims[:1], [0], 4)
    assert score(tmp_path / 'none', real, nothing)['intra_fid'] is None


@pytest.mark.parametrize('entry', [
    {'n_images': None, 'fid': 3., 'singular': False}, {'fid': 'x', 'singular': False}, {'fid': 3., 'singular': None},
    {'class': '1', 'fid': 3., 'singular': False}])
def test_entries_of_another_journal_are_refused(tmp_path, entry):
    Journal(tmp_path / 'a', 'class', {'a': 1}).add({'class': 1, 'n_images': 5, **entry})
    before = (tmp_path / 'a').read_bytes()
    with pytest.raises(ValueError, match='a: expected what was found of a class'):
        score(tmp_path / 'a', dataset(0), dataset(1))
    assert (tmp_path / 'a').read_bytes() == before
