"""The crop and the resize that ImageNet's raw and packed files share, and the list of the raw ones."""
from source.datasets.imagenet import ImageNetDataset
from source.datasets.imagenet_dog_and_cat import ImageNetDogAndCatDataset
from source.datasets.square_crops import SquareCrops, central_square, random_square, resized, stretched

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


@pytest.mark.parametrize('method, resample, width, height, left, top', [
    ('bilinear', Image.Resampling.BILINEAR, 60, 40, 10, 0), ('bicubic', Image.Resampling.BICUBIC, 40, 61, 0, 10),
    ('cubic', Image.Resampling.BICUBIC, 41, 40, 0, 0), ('nearest', Image.Resampling.NEAREST, 40, 40, 0, 0),
    ('lanczos', Image.Resampling.LANCZOS, 60, 40, 10, 0)])
def test_resizes_the_central_square_alone_on_uint8(method, resample, width, height, left, top):
    crop = Image.fromarray(np.asarray(noise(width, height))[top:top + 40, left:left + 40])
    for size in (17, 40):
        im = Images([noise(width, height)], size, resize_method=method).load_ims([0])[0].transpose(1, 2, 0)
        expected = np.asarray(crop.resize((size, size), resample))  # in particular, not stretched to 0..255
        np.testing.assert_array_equal(im, expected, strict=True)


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
    dataset = Images([image], 17, augmentation=augmentation, crop_ratio=.3, stretch_contrast=True)
    crop = random_square(image, .3, np.random.RandomState(3)) if augmentation else central_square(image)
    for rng, square in ((None, central_square(image)), (np.random.RandomState(3), stretched(crop))):
        expected = np.asarray(resized(square, 17)).transpose(2, 0, 1)
        np.testing.assert_array_equal(dataset.load_ims([0], rng)[0], expected)


def load(root, labels, dataset=ImageNetDataset, **arguments):
    """Writes an image a label as ImageNet lays them out, and their list."""
    names = [f'n{label:08d}/n{label:08d}_{i}.png' for i, label in enumerate(labels)]
    for i, name in enumerate(names):
        (root / name).parent.mkdir(exist_ok=True)
        coordinates(20, 20 + i).save(root / name)
    (root / 'list.txt').write_text(''.join(f'{name} {label}\n' for name, label in zip(names, labels, strict=True)))
    return dataset(str(root / 'list.txt'), str(root), **arguments)


def test_images_and_labels(tmp_path):
    dataset = load(tmp_path, [3, 999, 0], size=20)
    assert dataset.labels.tolist() == [3, 999, 0]
    assert (len(dataset), dataset.n_classes, dataset.size, dataset.augmentation) == (3, 1000, 20, False)
    np.testing.assert_array_equal(dataset.load_ims([1, 2])[:, 1, 0, 0], [0, 1])


def test_dogs_and_cats_count_from_0(tmp_path):
    dataset = load(tmp_path, [151, 293, 200], ImageNetDogAndCatDataset, size=8)
    assert (dataset.labels.tolist(), dataset.n_classes, dataset.crop_ratio) == ([0, 142, 49], 143, .9)
    with pytest.raises(ValueError, match=r"list.txt:2: .* label from 151 to 293, found 'n.*png 150'"):
        load(tmp_path, [151, 150], ImageNetDogAndCatDataset)


def test_missing_files_are_named(tmp_path):
    load(tmp_path, [0])
    path, root = str(tmp_path / 'list.txt'), str(tmp_path)
    for its_path, its_root, message in (
            (root + '/nowhere.txt', root, 'nowhere.txt: expected a list'),
            (path, root + '/nowhere', r'nowhere: expected as root \(--data_dir\)'),
            (path, None, 'None: expected as root'),
            (path, root + '/n00000000', 'n00000000: expected n00000000/n00000000_0.png, the first image of')):
        with pytest.raises(FileNotFoundError, match=message):
            ImageNetDataset(its_path, its_root)


@pytest.mark.parametrize('text, message', [
    *((f'n0/a.JPEG 0\n\n{line}\n', f"3: expected 'folder/name.JPEG label' .*0 to 999, found '{line[:100]}'")
      for line in ('n0/a.JPEG', 'n0/a.JPEG x', 'n0/a.JPEG -1', 'n0/a.JPEG 1000', '7', 'a ' + '9' * 5000)),
    ('\n', " expected 'folder/name.JPEG label' lines, found none")], ids=range(7))
def test_a_bad_list_line_is_named(tmp_path, text, message):
    (tmp_path / 'list.txt').write_text(text)
    with pytest.raises(ValueError, match=f'list.txt:{message}'):
        ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path))
