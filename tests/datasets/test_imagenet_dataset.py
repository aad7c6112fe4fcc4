"""The list and the files of ImageNet; crops are in test_square_crops.py, encodings in test_open_image.py."""
from source.datasets.imagenet import ImageNetDataset
from source.datasets.imagenet_dog_and_cat import ImageNetDogAndCatDataset
from tests.datasets.test_square_crops import coordinates

import numpy as np
import pytest


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
    np.testing.assert_array_equal(dataset.labels, [3, 999, 0])
    assert (len(dataset), dataset.n_classes, dataset.size, dataset.augmentation) == (3, 1000, 20, False)
    np.testing.assert_array_equal(dataset.load_ims([1, 2])[:, 1, 0, 0], [0, 1])


def test_dogs_and_cats_count_from_0(tmp_path):
    dataset = load(tmp_path, [151, 293, 200], ImageNetDogAndCatDataset, size=8)
    np.testing.assert_array_equal(dataset.labels, [0, 142, 49])
    assert (dataset.n_classes, dataset.crop_ratio) == (143, .9)
    with pytest.raises(ValueError, match=r"list.txt:2: .* label from 151 to 293, found 'n.*png 150'"):
        load(tmp_path, [151, 150], ImageNetDogAndCatDataset)


def test_missing_files_are_named(tmp_path):
    dataset = load(tmp_path, [0, 0], size=8)
    path, root = str(tmp_path / 'list.txt'), str(tmp_path)
    (tmp_path / 'n00000000/n00000000_1.png').unlink()
    with pytest.raises(FileNotFoundError, match='n00000000_1.png: expected an image, found no file'):
        dataset.load_ims([0, 1])
    for its_path, its_root, message in (
            (root + '/nowhere.txt', root, 'nowhere.txt: expected a list'),
            (path, root + '/nowhere', r'nowhere: expected as root \(--data_dir\)'),
            (path, None, 'None: expected as root'),
            (path, root + '/n00000000', 'n00000000: expected n00000000/n00000000_0.png, the first image of')):
        with pytest.raises(FileNotFoundError, match=message):
            ImageNetDataset(its_path, its_root)


@pytest.mark.parametrize('line', [
    'n0/a.JPEG', 'n0/a.JPEG x', 'n0/a.JPEG -1', 'n0/a.JPEG 1000', '7', 'a ' + '9' * 5000], ids=range(6))
def test_a_bad_list_line_is_named(tmp_path, line):
    (tmp_path / 'list.txt').write_text(f'n0/a.JPEG 0\n\n{line}\n')
    expected = f"list.txt:3: expected 'folder/name.JPEG label' .*0 to 999, found '{line[:100]}'"
    with pytest.raises(ValueError, match=expected):
        ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path))
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='lines, found none'):
        ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path))
