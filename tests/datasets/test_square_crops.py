"""The crop and the resize that ImageNet's raw and packed files share."""
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


def noise(width, height, lowest=40, highest=90):
    return Image.fromarray(np.random.default_rng(0).integers(lowest, highest, (height, width, 3), dtype=np.uint8))


def coordinates(width, height):
    """An image whose red is the column and whose green is the row."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([columns, rows, np.full_like(rows, 9)], axis=2).astype(np.uint8))


@pytest.mark.parametrize('width, height, left, top', [(60, 40, 10, 0), (40, 61, 0, 10), (41, 40, 0, 0), (40, 40, 0, 0)])
def test_central_square(width, height, left, top):
    im = Images([coordinates(width, height)], 40).load_ims([0])[0]
    np.testing.assert_array_equal(im[0], np.broadcast_to(left + np.arange(40), (40, 40)))
    np.testing.assert_array_equal(im[1], np.broadcast_to(top + np.arange(40)[:, None], (40, 40)))
    assert im.dtype == np.uint8 and (im[2] == 9).all()


@pytest.mark.parametrize('method, resample', [
    ('bilinear', Image.Resampling.BILINEAR), ('bicubic', Image.Resampling.BICUBIC), ('cubic', Image.Resampling.BICUBIC),
    ('nearest', Image.Resampling.NEAREST), ('lanczos', Image.Resampling.LANCZOS)])
def test_resizes_the_crop_alone_on_uint8(method, resample):
    im = Images([noise(50, 30)], 17, resize_method=method).load_ims([0])[0]
    expected = Image.fromarray(np.asarray(noise(50, 30))[:, 10:40]).resize((17, 17), resample)
    np.testing.assert_array_equal(im.transpose(1, 2, 0), np.asarray(expected))  # in particular, not stretched to 0..255


@pytest.mark.parametrize('ratio, side, make_rng', [
    (1., 20, np.random.RandomState), (.9, 18, np.random.default_rng), (.35, 7, np.random.RandomState),
    (.01, 1, np.random.default_rng)])
def test_random_square(ratio, side, make_rng):
    """Draws are x, y and the mirror, each uniform: every place comes, the last one too."""
    dataset = Images([coordinates(24, 20)], side, augmentation=True, crop_ratio=ratio)
    rng, same, lefts, tops, mirrors = make_rng(0), make_rng(0), set(), set(), set()
    for _ in range(300):
        columns, rows, _ = dataset.load_ims([0], rng)[0]
        left, top = (int(same.uniform() * (extent - side + 1)) for extent in (24, 20))
        mirrored = same.uniform() < .5
        expected = left + np.arange(side)
        np.testing.assert_array_equal(columns, np.broadcast_to(expected[::-1] if mirrored else expected, (side, side)))
        np.testing.assert_array_equal(rows, np.broadcast_to(top + np.arange(side)[:, None], (side, side)))
        lefts.add(left)
        tops.add(top)
        mirrors.add(mirrored)
    assert (lefts, tops, mirrors) == (set(range(25 - side)), set(range(21 - side)), {False, True})


def test_stretch_is_scipys_bytescale():
    """scipy.misc.bytescale, which imresize called: (x − min) · 255 / (max − min), half rounded up."""
    im = np.asarray(noise(30, 20)).astype(np.float64)
    expected = np.floor((im - im.min()) * 255 / (im.max() - im.min()) + .5)
    np.testing.assert_array_equal(np.asarray(stretched(noise(30, 20))), expected)
    assert (expected.min(), expected.max()) == (0, 255)
    whole = noise(50, 40, 0, 256)
    np.testing.assert_array_equal(np.asarray(stretched(whole)), np.asarray(whole))
    assert not np.asarray(stretched(Image.new('RGB', (4, 4), (7, 7, 7)))).any()


@pytest.mark.parametrize('augmentation', [False, True])
def test_only_training_is_stretched_and_crop_by_crop(augmentation):
    image = Image.fromarray(np.concatenate([np.asarray(noise(20, 40, 0, 2)), np.asarray(noise(40, 40))], axis=1))
    arguments = {'augmentation': augmentation, 'crop_ratio': .3}
    plain, switched = Images([image], 17, **arguments), Images([image], 17, stretch_contrast=True, **arguments)
    np.testing.assert_array_equal(plain.load_ims([0]), switched.load_ims([0]))
    crops = [dataset.load_ims([0], np.random.RandomState(3))[0] for dataset in (plain, switched)]
    assert crops[0].max() < 90 and crops[1].max() > 200 and crops[1].min() < 60
    if not augmentation:
        expected = resized(stretched(central_square(image)), 17)
        np.testing.assert_array_equal(crops[1], np.asarray(expected).transpose(2, 0, 1))


@pytest.mark.parametrize('arguments, message', [
    ({'resize_method': 'bilinaer'}, "resize_method: expected one of nearest, bilinear, .* got 'bilinaer'"),
    ({'crop_ratio': 0.}, r'crop_ratio: expected a number in \(0, 1\], got 0.0'), ({'crop_ratio': 1.1}, 'got 1.1'),
    ({'size': 0}, 'size: expected at least 1 px, got 0')])
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Images([noise(4, 4)], **{'size': 4, **arguments})
