from source.datasets.digits import DigitsDataset, moved

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits


def test_the_last_360_are_held_out():
    target = load_digits().target
    train, test = DigitsDataset('train'), DigitsDataset('test')
    assert (len(train), len(test)) == (1437, 360)
    np.testing.assert_array_equal(train.labels, target[:1437])
    np.testing.assert_array_equal(test.labels, target[1437:])
    assert train.n_classes == test.n_classes == 10


@pytest.mark.parametrize('size', [8, 16, 32, 48])
def test_images_are_the_digits_enlarged(size):
    dataset = DigitsDataset('test', size=size)
    assert dataset.ims.dtype == np.uint8 and dataset.ims.shape == (360, 3, size, size) and dataset.size == size
    assert dataset.ims.min() == 0 and dataset.ims.max() == 255
    np.testing.assert_array_equal(dataset.ims[:, 0], dataset.ims[:, 1])
    np.testing.assert_array_equal(dataset.ims[:, 0], dataset.ims[:, 2])
    blocks = dataset.ims[:, 0].reshape(360, 8, size // 8, 8, size // 8).mean(axis=(2, 4))
    original = load_digits().images[1437:] * (255. / 16.)
    for block, im in zip(blocks, original, strict=True):
        assert np.corrcoef(block.ravel(), im.ravel())[0, 1] > .98
    assert abs(blocks.mean() - original.mean()) < 3.


def test_enlarged_by_cubic_interpolation():
    small = np.rint(load_digits().images[0] * (255. / 16.)).astype(np.uint8)
    enlarged = Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(DigitsDataset('train', size=32).ims[0, 1], np.asarray(enlarged))


def test_means_of_32_px_are_16_px():
    means = DigitsDataset('test', size=32).ims.reshape(360, 3, 16, 2, 16, 2).mean(axis=(3, 5))
    assert np.abs(means - DigitsDataset('test', size=16).ims).max() <= .5


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
    plain = DigitsDataset('test', size=32)
    np.testing.assert_array_equal(plain.load_ims(indices, make_rng(0)), plain.ims[indices])


@pytest.mark.parametrize('arguments, message', [
    ({'split': 'valid'}, "'train' or 'test', got 'valid'"),
    ({'size': 24}, 'size: expected 8, 16 or at least 32 px, got 24'),
])
def test_refuses_other_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        DigitsDataset(**arguments)
