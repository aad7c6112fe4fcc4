import importlib.util

from source.datasets import photo_tiles
from source.datasets.photo_tiles import PhotoTilesDataset

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

PHOTOS = load_sample_images().images  # china, flower: uint8 (427, 640, 3)
BORDER = 512


def positions(im, tile):
    """Where in the photo a tile is, as (row, column)."""
    windows = np.lib.stride_tricks.sliding_window_view(im, tile.shape[1:], axis=(0, 1))
    candidates = np.argwhere((windows[:, :, :, 0, 0] == tile[:, 0, 0]).all(2))
    return [tuple(p) for p in candidates if np.array_equal(windows[tuple(p)], tile)]


@pytest.mark.parametrize('split', ['train', 'test'])
def test_tiles_lie_on_their_grid_in_their_part_of_the_photo(split):
    dataset = PhotoTilesDataset(split, size=32, stride=16)
    assert dataset.class_names == ['china', 'flower'] and (dataset.size, dataset.n_classes) == (32, 2)
    left, width = (0, BORDER) if split == 'train' else (BORDER, 640 - BORDER)
    rows, columns = range(0, 427 - 31, 16), range(left, left + width - 31, 16)
    assert len(dataset) == 2 * len(rows) * len(columns)
    k = 0
    for label, photo in enumerate(PHOTOS):
        for row in rows:
            for column in columns:
                tile = photo[row:row + 32, column:column + 32]
                np.testing.assert_array_equal(dataset.ims[k], tile.transpose(2, 0, 1))
                assert dataset.labels[k] == label
                k += 1


def test_no_pixel_is_in_both():
    train, test = (PhotoTilesDataset(split, 32, 31) for split in ('train', 'test'))
    for dataset, inside in ((train, range(BORDER - 31)), (test, range(BORDER, 640))):
        for k in (0, len(dataset) // 2 - 1):
            found = positions(PHOTOS[0], dataset.ims[k])
            assert found and all(column in inside for _, column in found)


def test_tiles_side_by_side():
    dataset = PhotoTilesDataset('test', size=64, stride=64)
    assert dataset.ims.shape == (2 * 6 * 2, 3, 64, 64)


def test_all_photos():
    if importlib.util.find_spec('skimage') is None:
        pytest.skip('needs scikit-image')
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
