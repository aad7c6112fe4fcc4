import importlib.util

from source.datasets import photo_tiles
from source.datasets.photo_tiles import PhotoTilesDataset

import numpy as np
import pytest
from sklearn.datasets import load_sample_images


@pytest.mark.parametrize('split, left, width', [('train', 0, 512), ('test', 512, 128)])
def test_tiles_lie_on_their_grid_in_their_part_of_the_photo(split, left, width):
    """Of photos of 640 × 427 pixels; no pixel is in both parts."""
    dataset = PhotoTilesDataset(split, size=32, stride=20)
    assert dataset.class_names == ['china', 'flower'] and (dataset.size, dataset.n_classes) == (32, 2)
    expected = [photo[row:row + 32, column:column + 32].transpose(2, 0, 1) for photo in load_sample_images().images
                for row in range(0, 427 - 31, 20) for column in range(left, left + width - 31, 20)]
    np.testing.assert_array_equal(dataset.ims, expected)
    np.testing.assert_array_equal(dataset.labels, np.repeat([0, 1], len(expected) // 2))


@pytest.mark.skipif(importlib.util.find_spec('skimage') is None, reason='needs scikit-image')
def test_all_photos():
    dataset = PhotoTilesDataset(photos='all')
    assert dataset.n_classes == len(set(dataset.class_names)) == 10
    assert np.bincount(dataset.labels).min() > 50
    assert all(dataset.ims[dataset.labels == k].std() > 10 for k in range(10))


def test_without_scikit_image(monkeypatch):
    monkeypatch.setattr(photo_tiles.importlib.util, 'find_spec',
                        lambda name, find=importlib.util.find_spec: None if name == 'skimage' else find(name))
    with pytest.raises(ValueError, match="'all' needs scikit-image, which is not installed: pip install scikit-image"):
        PhotoTilesDataset(photos='all')


@pytest.mark.parametrize('arguments, message', [
    ({'split': 'valid'}, "split: expected one of train, test, got 'valid'"),
    ({'photos': 'none'}, "photos: expected one of scikit-learn, all, got 'none'"),
    ({'stride': 0}, 'at least 1 px, got 32 and 0'), ({'size': 0}, 'at least 1 px, got 0 and 16'),
    ({'size': 429}, 'fits into every photo, got 429 px'), ({'split': 'test', 'size': 129}, 'got 129 px')])
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        PhotoTilesDataset(**arguments)
