"""Crops and resizes themselves are held in test_imagenet_dataset.py; here what else training may do with a crop."""
from source.datasets.square_crops import SquareCrops, central_square, resized, stretched

import numpy as np
import pytest
from PIL import Image


class Images(SquareCrops):
    def __init__(self, images, size, **arguments):
        self.images = images
        super().__init__([0] * len(images), 1, size, **arguments)

    def open_image(self, i):
        return self.images[i]


def noise(width, height, lowest=40, highest=90, seed=0):
    values = np.random.default_rng(seed).integers(lowest, highest, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def test_stretch_is_scipys_bytescale():
    """scipy.misc.bytescale, which imresize called: (x − min) · 255 / (max − min), half rounded up."""
    im = np.asarray(noise(30, 20)).astype(np.float64)
    expected = np.floor((im - im.min()) * 255 / (im.max() - im.min()) + .5)
    np.testing.assert_array_equal(np.asarray(stretched(noise(30, 20))), expected)
    assert (expected.min(), expected.max()) == (0, 255)


def test_stretch_of_what_has_the_whole_range_or_one_value():
    whole = noise(50, 40, 0, 256)
    np.testing.assert_array_equal(np.asarray(stretched(whole)), np.asarray(whole))
    assert not np.asarray(stretched(Image.new('RGB', (4, 4), (7, 7, 7)))).any()


@pytest.mark.parametrize('augmentation', [False, True])
def test_only_training_is_stretched_and_crop_by_crop(augmentation):
    image = Image.fromarray(np.concatenate([np.asarray(noise(20, 40, 0, 2)), np.asarray(noise(40, 40))], axis=1))
    plain, switched = (Images([image], 17, stretch_contrast=switch, augmentation=augmentation, crop_ratio=.3)
                       for switch in (False, True))
    np.testing.assert_array_equal(plain.load_ims([0]), switched.load_ims([0]))
    crops = [dataset.load_ims([0], np.random.RandomState(3))[0] for dataset in (plain, switched)]
    assert crops[0].max() < 90 and crops[1].max() > 200 and crops[1].min() < 60
    if not augmentation:
        expected = resized(stretched(central_square(image)), 17)
        np.testing.assert_array_equal(crops[1], np.asarray(expected).transpose(2, 0, 1))


@pytest.mark.parametrize('ratio', [1., .999, .5, .1, 1e-6])
def test_any_ratio_on_any_shape(ratio):
    dataset = Images([noise(*shape) for shape in ((1, 1), (1, 9), (9, 1), (7, 8), (33, 32))], 6, augmentation=True,
                     crop_ratio=ratio)
    rng = np.random.RandomState(0)
    for _ in range(50):
        assert dataset.load_ims(np.arange(5), rng).shape == (5, 3, 6, 6)


def test_default_is_off_and_size_is_checked():
    assert not Images([noise(4, 4)], 4).stretch_contrast
    with pytest.raises(ValueError, match='size: expected at least 1 px, got 0'):
        Images([noise(4, 4)], 0)
