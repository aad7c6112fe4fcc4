from source.datasets.imagenet import ImageNetDataset
from source.datasets.imagenet_dog_and_cat import ImageNetDogAndCatDataset

import numpy as np
import pytest
from PIL import Image


def write_images(root, images, labels, suffix='JPEG', **options):
    """Write `images` as ImageNet lays them out; return the path of their list."""
    lines = []
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        name = f'n{label:08d}/n{label:08d}_{i}.{suffix}'
        (root / name).parent.mkdir(exist_ok=True)
        image.save(root / name, format='PNG' if suffix == 'png' else 'JPEG', **options)
        lines.append(f'{name} {label}\n')
    (root / 'list.txt').write_text(''.join(lines))
    return str(root / 'list.txt')


def coordinates(width, height):
    """An image whose red is the column and whose green is the row."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([columns, rows, np.full_like(rows, 9)], axis=2).astype(np.uint8))


def load(tmp_path, images, labels=None, suffix='png', dataset=ImageNetDataset, **arguments):
    path = write_images(tmp_path, images, labels or [0] * len(images), suffix)
    return dataset(path, str(tmp_path), **arguments)


@pytest.mark.parametrize('width, height, left, top', [(60, 40, 10, 0), (40, 61, 0, 10), (41, 40, 0, 0), (40, 40, 0, 0)])
def test_central_square(tmp_path, width, height, left, top):
    im = load(tmp_path, [coordinates(width, height)], size=40).load_ims([0])[0]
    np.testing.assert_array_equal(im[0], np.broadcast_to(left + np.arange(40), (40, 40)))
    np.testing.assert_array_equal(im[1], np.broadcast_to(top + np.arange(40)[:, None], (40, 40)))
    assert im.dtype == np.uint8 and (im[2] == 9).all()


@pytest.mark.parametrize('method, resample', [
    ('bilinear', Image.Resampling.BILINEAR), ('bicubic', Image.Resampling.BICUBIC),
    ('nearest', Image.Resampling.NEAREST), ('lanczos', Image.Resampling.LANCZOS),
])
def test_resizes_the_crop_alone_on_uint8(tmp_path, method, resample):
    noise = Image.fromarray(np.random.default_rng(0).integers(40, 90, (30, 50, 3), dtype=np.uint8))
    im = load(tmp_path, [noise], size=17, resize_method=method).load_ims([0])[0]
    expected = Image.fromarray(np.asarray(noise)[:, 10:40]).resize((17, 17), resample)
    np.testing.assert_array_equal(im.transpose(1, 2, 0), np.asarray(expected))  # in particular, not stretched to 0..255


def test_small_images_are_kept(tmp_path):
    dataset = load(tmp_path, [coordinates(9, 5), coordinates(1, 1), coordinates(300, 200)], size=64)
    assert dataset.load_ims([0, 1, 2]).shape == (3, 3, 64, 64)


@pytest.mark.parametrize('ratio, side', [(1., 20), (.9, 18), (.5, 10), (.01, 1)])
@pytest.mark.parametrize('make_rng', [np.random.default_rng, np.random.RandomState])
def test_random_square(tmp_path, ratio, side, make_rng):
    dataset = load(tmp_path, [coordinates(24, 20)], size=side, augmentation=True, crop_ratio=ratio)
    rng = make_rng(0)
    lefts, tops, mirrored = set(), set(), set()
    for _ in range(300):
        columns, rows, _ = dataset.load_ims([0], rng)[0].astype(int)
        left, top, mirror = columns.min(), rows.min(), columns[0, 0] > columns[0, -1]
        expected = left + np.arange(side)
        np.testing.assert_array_equal(columns, np.broadcast_to(expected[::-1] if mirror else expected, (side, side)))
        np.testing.assert_array_equal(rows, np.broadcast_to(top + np.arange(side)[:, None], (side, side)))
        lefts.add(int(left))
        tops.add(int(top))
        mirrored.add(bool(mirror))
    assert lefts == set(range(24 - side + 1)) and tops == set(range(20 - side + 1))
    assert mirrored == ({False, True} if side > 1 else {False})


def test_augmentation_and_noise_come_from_the_rng(tmp_path):
    dataset = load(tmp_path, [coordinates(90, 80)] * 4, size=32, augmentation=True, crop_ratio=.5)
    x, _ = dataset.get_examples([0, 1, 2, 3], np.random.default_rng(0))
    np.testing.assert_array_equal(x, dataset.get_examples([0, 1, 2, 3], np.random.default_rng(0))[0])
    ims = dataset.load_ims([0, 1, 2, 3], np.random.default_rng(0))
    np.testing.assert_allclose(x, ims / 128. - 1. + .5 / 128., atol=.5 / 128. + 1e-6)
    assert not np.array_equal(ims[0], ims[1])
    np.testing.assert_array_equal(*dataset.load_ims([0, 1]))  # no rng: the central square


@pytest.mark.parametrize('mode', ['L', 'RGB', 'CMYK'])
def test_jpeg_modes(tmp_path, mode):
    image = Image.new('RGB', (40, 30), (200, 200, 200)).convert(mode)
    im = load(tmp_path, [image], suffix='JPEG', size=16).load_ims([0])[0]
    assert im.shape == (3, 16, 16)
    np.testing.assert_allclose(im.astype(int), 200, atol=2)


def test_labels(tmp_path):
    dataset = load(tmp_path, [coordinates(8, 8)] * 3, labels=[3, 999, 0], size=8)
    np.testing.assert_array_equal(dataset.labels, [3, 999, 0])
    x, y = dataset.get_examples([1], np.random.default_rng(0))
    assert (len(dataset), dataset.n_classes, dataset.size) == (3, 1000, 8)
    assert (x.shape, x.dtype, y.dtype, y.tolist()) == ((1, 3, 8, 8), np.float32, np.int32, [999])


def test_dogs_and_cats_count_from_0(tmp_path):
    dataset = load(tmp_path, [coordinates(20, 20)] * 3, [151, 293, 200], dataset=ImageNetDogAndCatDataset, size=8)
    np.testing.assert_array_equal(dataset.labels, [0, 142, 49])
    assert (dataset.n_classes, dataset.crop_ratio) == (143, .9)
    with pytest.raises(ValueError, match=r"list.txt:2: .* label from 151 to 293, found 'n.*png 150'"):
        load(tmp_path, [coordinates(20, 20)] * 2, [151, 150], dataset=ImageNetDogAndCatDataset)


@pytest.mark.parametrize('damage', [lambda content: b'', lambda content: content[:len(content) // 2],
                                    lambda content: b'<html>' + content])
@pytest.mark.parametrize('suffix', ['JPEG', 'png'])
def test_a_broken_image_is_named(tmp_path, damage, suffix):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    dataset = load(tmp_path, [noise], suffix=suffix, size=8)
    file = tmp_path / f'n00000000/n00000000_0.{suffix}'
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=f'n00000000_0.{suffix}: expected an image, found a file Pillow cannot read'):
        dataset.get_examples([0], np.random.default_rng(0))


def test_missing_files_are_named(tmp_path):
    dataset = load(tmp_path, [coordinates(8, 8)] * 2, size=8)
    path, root = str(tmp_path / 'list.txt'), str(tmp_path)
    (tmp_path / 'n00000000/n00000000_1.png').unlink()
    with pytest.raises(FileNotFoundError, match='n00000000_1.png: expected an image, found no file'):
        dataset.load_ims([0, 1])
    with pytest.raises(FileNotFoundError, match='nowhere.txt: expected a list'):
        ImageNetDataset(root + '/nowhere.txt', root)
    for missing in (root + '/nowhere', None):
        with pytest.raises(FileNotFoundError, match=r'(nowhere|None): expected as root \(--data_dir\)'):
            ImageNetDataset(path, missing)
    with pytest.raises(FileNotFoundError, match='n00000000: expected n00000000/n00000000_0.png, the first image of'):
        ImageNetDataset(path, root + '/n00000000')


@pytest.mark.parametrize('line', ['n0/a.JPEG', 'n0/a.JPEG x', 'n0/a.JPEG -1', 'n0/a.JPEG 1000', '7'])
def test_a_bad_list_line_is_named(tmp_path, line):
    path = write_images(tmp_path, [coordinates(8, 8)], [0])
    with open(path, 'a') as file:
        file.write('\n' + line + '\n')
    with pytest.raises(ValueError, match=f"list.txt:3: expected 'folder/name.JPEG label' .*0 to 999, found '{line}'"):
        ImageNetDataset(path, str(tmp_path))
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='lines, found none'):
        ImageNetDataset(path, str(tmp_path))


def test_a_label_too_long_for_a_number_is_named(tmp_path):
    (tmp_path / 'list.txt').write_text('n0/a.JPEG ' + '9' * 5000)
    with pytest.raises(ValueError, match='list.txt:1: expected'):
        ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path))


def test_names_may_hold_spaces(tmp_path):
    (tmp_path / 'n 1').mkdir()
    coordinates(8, 8).save(tmp_path / 'n 1/a b.png')
    (tmp_path / 'list.txt').write_text('n 1/a b.png\t5\n')
    dataset = ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path), size=8)
    assert dataset.labels.tolist() == [5] and dataset.load_ims([0]).shape == (1, 3, 8, 8)


@pytest.mark.parametrize('arguments, message', [
    ({'resize_method': 'bilinaer'}, "resize_method: expected one of nearest, bilinear, .* got 'bilinaer'"),
    ({'crop_ratio': 0.}, r'crop_ratio: expected a number in \(0, 1\], got 0.0'),
    ({'crop_ratio': 1.1}, 'got 1.1'),
])
def test_refuses_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(tmp_path, [coordinates(8, 8)], **arguments)
