from source.datasets.digits import DigitsDataset, moved

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits


def test_images_are_the_digits_enlarged_by_cubic_interpolation():
    """Below 32 pixels, rounding apart, they are means of those of 32."""
    fine, digits = DigitsDataset('test', size=32).ims, load_digits()
    np.testing.assert_array_equal(DigitsDataset().labels, digits.target[:1437])
    for size in (8, 16, 32, 48):
        dataset = DigitsDataset('test', size=size)
        assert dataset.ims.dtype == np.uint8 and dataset.ims.shape == (360, 3, size, size) and dataset.n_classes == 10
        assert dataset.ims.min() == 0 and dataset.ims.max() == 255
        np.testing.assert_array_equal(dataset.ims, dataset.ims[:, :1].repeat(3, axis=1))
        np.testing.assert_array_equal(dataset.labels, digits.target[1437:])
        if size < 32:
            means = fine.reshape(360, 3, size, 32 // size, size, 32 // size).mean(axis=(3, 5))
            assert np.abs(means - dataset.ims).max() <= .5
        else:
            small = np.rint(digits.images[1438] * (255. / 16.)).astype(np.uint8)
            enlarged = Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(dataset.ims[1, 1], np.asarray(enlarged))


def test_moved():
    ims = np.random.RandomState(0).randint(1, 256, size=(3, 3, 5, 6), dtype=np.uint8)
    there = moved(ims, np.array([[0, 0], [2, -1], [-2, 3]]))
    assert there.dtype == np.uint8
    np.testing.assert_array_equal(there[0], ims[0])
    np.testing.assert_array_equal(there[1], np.pad(ims[1, :, :-2, 1:], ((0, 0), (2, 0), (0, 1))))
    np.testing.assert_array_equal(there[2], np.pad(ims[2, :, 2:, :-3], ((0, 0), (0, 2), (3, 0))))


@pytest.mark.parametrize('make_rng', [np.random.RandomState, np.random.default_rng])
def test_augmentation_moves_by_up_to_a_sixteenth(make_rng):
    dataset = DigitsDataset('test', size=32, augmentation=True)
    indices = np.zeros(400, int)
    ims = dataset.load_ims(indices, make_rng(0))
    shifts = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    possible = {moved(dataset.ims[:1], np.array([shift])).tobytes() for shift in shifts}
    assert len(possible) == 25 and {im.tobytes() for im in ims} == possible
    np.testing.assert_array_equal(ims, dataset.load_ims(indices, make_rng(0)))
    np.testing.assert_array_equal(dataset.load_ims(indices), dataset.ims[indices])
    np.testing.assert_array_equal(DigitsDataset('test', 32).load_ims(indices, make_rng(0)), dataset.ims[indices])


@pytest.mark.parametrize('arguments, message', [
    ({'split': 'valid'}, "'train' or 'test', got 'valid'"),
    ({'size': 24}, 'size: expected 8, 16 or at least 32 px, got 24'), ({'size': 31}, 'px, got 31')])
def test_refuses_other_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DigitsDataset(**arguments)
