import copy
import os

from source.datasets.image_dataset import ImageDataset

import numpy as np
import pytest


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    ims = rng.integers(0, 256, (40, 3, 6, 6), dtype=np.uint8)
    ims[0], ims[1] = 0, 255
    return ImageDataset(ims, np.arange(40) % 7, n_classes=7)


@pytest.mark.parametrize('make_rng', [np.random.default_rng, np.random.RandomState])
def test_noise_fills_the_step_between_two_grey_values(dataset, make_rng):
    """And comes from the rng alone."""
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    indices = [5, 0, 1, 5, 39]
    x, y = dataset.get_examples(indices, make_rng(1))
    assert (x.dtype, x.shape, y.dtype) == (np.float32, (5, 3, 6, 6), np.int32)
    np.testing.assert_array_equal(y, [5, 0, 1, 5, 4])
    np.testing.assert_array_equal(dataset.load_ims(np.array(indices)), dataset.ims[indices])  # without noise
    noise = (x.astype(np.float64) + 1.) * 128. - dataset.ims[indices]
    assert -1e-4 < noise.min() < .05 and .95 < noise.max() < 1. + 1e-4
    assert abs(noise.mean() - .5) < .05 and abs(noise.std() - 12 ** -.5) < .02
    assert not np.array_equal(noise[0], noise[3])
    np.testing.assert_array_equal(x, dataset.get_examples(indices, make_rng(1))[0])
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_get_example(dataset):
    x, y = dataset[3]
    assert (x.dtype, x.shape, y.dtype, y.shape, int(y)) == (np.float32, (3, 6, 6), np.int32, (), 3)
    np.testing.assert_allclose(x, dataset.ims[3] / 128. - 1. + .5 / 128., atol=.5 / 128. + 1e-6)
    assert not np.array_equal(x, dataset[3][0])
    assert (len(dataset), dataset.size, dataset.n_classes) == (40, 6, 7)


def test_forked_workers_draw_different_noise(dataset, monkeypatch):
    dataset.get_example(0)  # the parent's generator exists before the workers, which copy it, do
    workers = [copy.deepcopy(dataset) for _ in range(2)]
    monkeypatch.setattr(os, 'getpid', lambda: -1)
    x0, x1 = (worker[0][0] for worker in workers)
    assert not np.array_equal(x0, x1)


@pytest.mark.parametrize('shape, dtype, labels, message', [
    ((2, 3, 4, 4), np.float32, [0, 1], 'ims: expected uint8'), ((2, 1, 4, 4), np.uint8, [0, 1], r'\(2, 3, 4, 4\)'),
    ((2, 3, 4, 5), np.uint8, [0, 1], r'\(2, 3, 5, 5\)'), ((3, 3, 4, 4), np.uint8, [0, 1], 'one image a label'),
    ((2, 3, 4, 4), np.uint8, [0, 2], 'labels: expected 0 to 1, got 0 to 2'),
    ((2, 3, 4, 4), np.uint8, [-1, 1], 'labels: expected 0 to 1, got -1 to 1')])
def test_refuses_what_is_not_labelled_images(shape, dtype, labels, message):
    with pytest.raises(ValueError, match=message):
        ImageDataset(np.zeros(shape, dtype), labels, n_classes=2)
