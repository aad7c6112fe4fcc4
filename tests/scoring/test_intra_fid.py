import warnings
from types import SimpleNamespace

from source.datasets.image_dataset import ImageDataset
from source.files.journal import Journal
from source.scoring.image_sources import StoredImages
from source.scoring.intra_fid import intra_fid
from source.scoring.real_classes import ClassesOfImages
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest


def dataset(seed, changed=0, n_left=400):
    """Images of four classes, of one of them only the first `n_left`."""
    rng = np.random.RandomState(seed)
    labels = rng.randint(4, size=400)
    ims = rng.randint(40 + 40 * labels[:, None, None, None], 256, size=(400, 3, 8, 8)).astype(np.uint8)
    kept = (labels != changed) | (np.cumsum(labels == changed) <= n_left)
    return ImageDataset(ims[kept], labels[kept], 4)


def journal(path):
    return Journal(path, 'class', {'a': 1})


def score(path, real, fake):
    classes = ClassesOfImages(SimpleNamespace(dataset=real, text='', split='train'), FakeFeatureNetwork())
    return intra_fid(StoredImages(fake), classes.of_class, FakeFeatureNetwork(), 4, 60, journal(path))


def test_a_warning_of_something_else_is_not_lost(tmp_path, monkeypatch):
    def distance(*_):
        warnings.warn('overflow', RuntimeWarning, stacklevel=1)
        return 1.
    monkeypatch.setattr('source.scoring.intra_fid.frechet_distance', distance)
    with pytest.warns(RuntimeWarning, match='overflow'):
        assert score(tmp_path / 'a', dataset(0), dataset(1)) == {
            'intra_fid': 1., 'n_classes': 4, 'too_few': [], 'singular': 0}


def test_classes_of_too_few_images(tmp_path):
    """One real image, or one generated, of a class: told and left out; fewer than dimensions: counted."""
    real, fake = dataset(0, 2, 1), dataset(1, 0, 5)
    found, entries = score(tmp_path / 'few', real, fake), journal(tmp_path / 'few').entries
    assert found == {'intra_fid': pytest.approx(np.mean([entries[c]['fid'] for c in (0, 1, 3)]), rel=1e-12),
                     'n_classes': 3, 'too_few': [2], 'singular': 1}
    assert [entries[c]['n_images'] for c in range(4)] == [5, 60, 60, 60]
    assert entries[2]['n_real'] == 1 and entries[2]['fid'] is None
    assert score(tmp_path / 'none', real, ImageDataset(fake.ims[:1], [0], 4))['intra_fid'] is None


@pytest.mark.parametrize('entry', [
    {'n_images': None, 'fid': 3., 'singular': False}, {'fid': 'x', 'singular': False}, {'fid': 3., 'singular': None},
    {'class': '1', 'fid': 3., 'singular': False}])
def test_entries_of_another_journal_are_refused(tmp_path, entry):
    journal(tmp_path / 'a').add({'class': 1, 'n_images': 5, **entry})
    before = (tmp_path / 'a').read_bytes()
    with pytest.raises(ValueError, match='a: expected what was found of a class'):
        score(tmp_path / 'a', dataset(0), dataset(1))
    assert (tmp_path / 'a').read_bytes() == before
