"""Data sets in memory: their noise, the digits and the tiles of photographs, and arguments that are refused."""
import copy
import importlib.util
import os

from source.datasets import photo_tiles
from source.datasets.digits import DigitsDataset
from source.datasets.fashion_mnist import FashionMNISTDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.photo_tiles import PhotoTilesDataset
from source.datasets.square_crops import SquareCrops
from source.datasets.stl10 import STL10Dataset
from source.datasets.svhn import SVHNDataset
from tests.datasets.writers import pixels

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images


@pytest.fixture
def dataset():
    ims = pixels(40, 3, 6, 6)
    ims[0], ims[1] = 0, 255
    return ImageDataset(ims, np.arange(40) % 7, n_classes=7)


@pytest.mark.parametrize('make_rng', [np.random.default_rng, np.random.RandomState])
def test_noise_fills_the_step_between_two_grey_values(dataset, make_rng):
    """And comes from the rng alone."""
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    indices = [5, 0, 1, 5, 39]
    x, y = dataset.get_examples(indices, make_rng(1))
    noise = make_rng(1).uniform(0, 1 / 128, (5, 3, 6, 6))
    np.testing.assert_array_equal(x, (dataset.ims[indices] / 128 - 1 + noise).astype(np.float32), strict=True)
    np.testing.assert_array_equal(y, np.int32([5, 0, 1, 5, 4]), strict=True)
    np.testing.assert_array_equal(dataset.load_ims(np.array(indices)), dataset.ims[indices])  # without noise
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_get_example(dataset, monkeypatch):
    """Workers that are forked, and so copy the parent's generator, draw different noise."""
    x, y = dataset[3]
    assert (x.dtype, x.shape, y.dtype, y.shape, int(y)) == (np.float32, (3, 6, 6), np.int32, (), 3)
    np.testing.assert_allclose(x, dataset.ims[3] / 128. - 1. + .5 / 128., atol=.5 / 128. + 1e-6)
    assert not np.array_equal(x, dataset[3][0])
    assert (len(dataset), dataset.size, dataset.channels, dataset.n_classes) == (40, 6, 3, 7)
    workers = [copy.deepcopy(dataset) for _ in range(2)]
    monkeypatch.setattr(os, 'getpid', lambda: -1)
    assert not np.array_equal(*(worker[0][0] for worker in workers))


@pytest.mark.parametrize('shape, dtype, labels, message', [
    ((2, 3, 4, 4), np.float32, [0, 1], 'ims: expected uint8'), ((2, 2, 4, 4), np.uint8, [0, 1], r'\(2, 3, 4, 4\)'),
    ((2, 3, 4, 5), np.uint8, [0, 1], r'\(2, 3, 5, 5\)'), ((3, 3, 4, 4), np.uint8, [0, 1], 'one image a label'),
    ((2, 3, 4, 4), np.uint8, [0, 2], 'labels: expected 0 to 1, got 0 to 2'),
    ((2, 3, 4, 4), np.uint8, [-1, 1], 'labels: expected 0 to 1, got -1 to 1')])
def test_refuses_what_is_not_labelled_images(shape, dtype, labels, message):
    with pytest.raises(ValueError, match=message):
        ImageDataset(np.zeros(shape, dtype), labels, n_classes=2)


def test_grey_images_and_images_without_classes():
    grey = ImageDataset(pixels(2, 1, 6, 6), [0, 0], n_classes=0)
    assert (grey.channels, grey[1][0].shape) == (1, (1, 6, 6)) and ImageDataset(None, [0], 0, 8, 1).channels == 1
    for label, channels, message in ((1, 1, 'labels: expected 0 to 0, got 1'), (0, 2, 'channels: .* 3 or 1, got 2')):
        with pytest.raises(ValueError, match=message):
            ImageDataset(None, [label], 0, 8, channels)


def test_digits_are_enlarged_by_cubic_interpolation():
    """Below 32 pixels, rounding apart, they are means of those of 32."""
    fine, digits = DigitsDataset('test', size=32).ims, load_digits()
    np.testing.assert_array_equal(DigitsDataset().labels, digits.target[:1437])
    for size in (8, 16, 32, 48):
        dataset = DigitsDataset('test', size=size)
        assert (dataset.ims.shape, dataset.n_classes) == ((360, 3, size, size), 10)
        assert (dataset.ims.min(), dataset.ims.max()) == (0, 255)
        grey = DigitsDataset('test', size=size, channels=1).ims
        np.testing.assert_array_equal(dataset.ims, grey.repeat(3, axis=1), strict=True)
        np.testing.assert_array_equal(dataset.labels, digits.target[1437:])
        if size < 32:
            means = fine.reshape(360, 3, size, 32 // size, size, 32 // size).mean(axis=(3, 5))
            assert np.abs(means - dataset.ims).max() <= .5
        else:
            small = np.rint(digits.images[1438] * (255. / 16.)).astype(np.uint8)
            enlarged = Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(dataset.ims[1, 1], np.asarray(enlarged))


@pytest.mark.parametrize('make_rng, draw', [(np.random.RandomState, 'randint'), (np.random.default_rng, 'integers')])
def test_augmentation_moves_digits_by_up_to_a_sixteenth(make_rng, draw):
    """Down and to the right, with black where they moved from."""
    dataset, indices = DigitsDataset('test', size=32, augmentation=True), np.arange(300)
    padded = np.pad(dataset.ims, ((0, 0), (0, 0), (2, 2), (2, 2)))
    shifts = getattr(make_rng(0), draw)(-2, 3, (300, 2))
    expected = [padded[k, :, 2 - down:34 - down, 2 - right:34 - right] for k, (down, right) in enumerate(shifts)]
    np.testing.assert_array_equal(dataset.load_ims(indices, make_rng(0)), np.stack(expected), strict=True)
    np.testing.assert_array_equal(dataset.load_ims(indices), dataset.ims[:300])
    np.testing.assert_array_equal(DigitsDataset('test', 32).load_ims(indices, make_rng(0)), dataset.ims[:300])


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
def test_tiles_of_all_photos():
    dataset = PhotoTilesDataset(photos='all')
    assert dataset.n_classes == len(set(dataset.class_names)) == 10
    assert np.bincount(dataset.labels).min() > 50
    assert all(dataset.ims[dataset.labels == k].std() > 10 for k in range(10))


def test_tiles_without_scikit_image(monkeypatch):
    monkeypatch.setitem(photo_tiles.PHOTOS, 'skimage_that_is_not_there', ((), ()))
    monkeypatch.setitem(photo_tiles.CHOICES, 'all', ('skimage_that_is_not_there',))
    with pytest.raises(ValueError, match="'all' needs scikit-image, which is not installed: pip install scikit-image"):
        PhotoTilesDataset(photos='all')


@pytest.mark.parametrize('make, arguments, message', [
    (DigitsDataset, {'split': 'valid'}, "'train' or 'test', got 'valid'"),
    (DigitsDataset, {'size': 24}, 'size: expected 8, 16 or at least 32 px, got 24'),
    (DigitsDataset, {'size': 31}, 'px, got 31'), (DigitsDataset, {'channels': 2}, 'channels: expected 3 or 1, got 2'),
    (FashionMNISTDataset, {'channels': 0}, 'channels: expected 3 or 1, got 0'),
    (PhotoTilesDataset, {'split': 'valid'}, "split: expected one of train, test, got 'valid'"),
    (PhotoTilesDataset, {'photos': 'none'}, "photos: expected one of scikit-learn, all, got 'none'"),
    (PhotoTilesDataset, {'stride': 0}, 'at least 1 px, got 32 and 0'),
    (PhotoTilesDataset, {'size': 0}, 'at least 1 px, got 0 and 16'),
    (PhotoTilesDataset, {'size': 429}, 'fits into every photo, got 429 px'),
    (PhotoTilesDataset, {'split': 'test', 'size': 129}, 'got 129 px'),
    (STL10Dataset, {'split': 'valid'}, "split: expected one of unlabeled, train, test, got 'valid'"),
    (STL10Dataset, {'size': 97}, 'size: expected 1 to 96 px, got 97'), (STL10Dataset, {'size': 0}, '96 px, got 0'),
    (SVHNDataset, {'split': 'valid'}, "split: expected one of train, test, extra, got 'valid'"),
    (FashionMNISTDataset, {'size': 26}, 'size: expected an even number from 28 px, got 26'),
    (FashionMNISTDataset, {'size': 31}, 'size: expected an even number from 28 px, got 31'),
    (SquareCrops, {'resize_method': 'bilinaer'}, "resize_method: expected one of nearest, .* got 'bilinaer'"),
    (SquareCrops, {'crop_ratio': 0.}, r'crop_ratio: expected a number in \(0, 1\], got 0.0'),
    (SquareCrops, {'crop_ratio': 1.1}, 'got 1.1'), (SquareCrops, {'size': 0}, 'size: expected at least 1 px, got 0')])
def test_arguments_refused(make, arguments, message):
    if make is SquareCrops:
        arguments = {'labels': [0], 'n_classes': 1, 'size': 4, **arguments}
    with pytest.raises(ValueError, match=message):
        make(**arguments)
