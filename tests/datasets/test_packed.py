import mmap
from types import SimpleNamespace

from source.datasets.image_dataset import ImageDataset
from source.datasets.packed import PackedDataset, PackedDogAndCatDataset
from source.datasets.packed_file import HEADER_BYTES, AppendedFile, PackedWriter, announce, open_packed, save_labels
from tests.datasets.imagenet_tree import photo
from tests.datasets.test_square_crops import Images

import numpy as np
import pytest
from PIL import Image

LABELS = [0, 150, 151, 152, 293, 294, 999]


def write_packed(folder, labels=LABELS, size=20, name='train_20.npy'):
    """Writes pieces of photographs with these labels; returns them, uint8 (N, size, size, 3)."""
    ims = np.stack([np.asarray(photo(k, (size, size))) for k in range(len(labels))])
    with PackedWriter(folder / name, size) as writer:
        writer.write(ims[:2])
        writer.write(ims[2:])
        writer.finish(len(ims))
    save_labels(folder / name, labels)
    return ims


def test_a_plain_numpy_file_is_mapped(tmp_path):
    ims = write_packed(tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / 'train_20.npy'), ims)
    np.testing.assert_array_equal(np.load(tmp_path / 'train_20_labels.npy'), LABELS)
    found, labels = open_packed(tmp_path / 'train_20.npy')
    assert isinstance(found, np.memmap) and not found.flags.writeable and not isinstance(labels, np.memmap)
    dataset = PackedDataset('train_20.npy', str(tmp_path), size=20)
    assert (len(dataset), dataset.size, dataset.n_classes) == (7, 20, 1000)
    assert [name for name, _ in dataset.files()] == ['train_20.npy', 'train_20_labels.npy']
    same, indices = ImageDataset(ims.transpose(0, 3, 1, 2), LABELS, 1000), [6, 0, 3, 3]
    for rng in (None, np.random.RandomState(0)):
        np.testing.assert_array_equal(dataset.load_ims(indices, rng), same.ims[indices])
    for arrays in zip(*(d.get_examples(indices, np.random.RandomState(1)) for d in (dataset, same)), strict=True):
        np.testing.assert_array_equal(*arrays, strict=True)


@pytest.mark.parametrize('size, arguments', [(13, {}), (20, {'augmentation': True, 'crop_ratio': .35}),
                                             (20, {'augmentation': True}), (20, {'stretch_contrast': True})])
def test_another_size_crops_and_contrast_are_as_of_any_images(tmp_path, size, arguments):
    ims = write_packed(tmp_path)
    found = PackedDataset('train_20.npy', str(tmp_path), size, **arguments)
    expected = Images([Image.fromarray(im) for im in ims], size, **arguments)
    for make_rng in (lambda: None, lambda: np.random.RandomState(3)):
        np.testing.assert_array_equal(found.load_ims([5, 2, 2], make_rng()), expected.load_ims([5, 2, 2], make_rng()))


@pytest.mark.skipif(not hasattr(mmap, 'MADV_WILLNEED'), reason='needs madvise')
def test_what_is_announced_is_what_is_read(tmp_path):
    """Whole pages that hold the rows, and no others."""
    write_packed(tmp_path, [0] * 200)
    ims, _ = open_packed(tmp_path / 'train_20.npy')
    asked = []
    base = SimpleNamespace(madvise=lambda *args: asked.append(args))
    announce(SimpleNamespace(base=base, offset=ims.offset, strides=ims.strides), [150, 199])
    for (advice, start, length), row in zip(asked, [150, 199], strict=True):
        first = HEADER_BYTES + row * 1200
        assert advice == mmap.MADV_WILLNEED and start % mmap.PAGESIZE == 0
        assert start <= first < start + mmap.PAGESIZE and start + length == first + 1200
    announce(ims, range(200))


def test_dogs_and_cats(tmp_path):
    ims = write_packed(tmp_path)
    dataset = PackedDogAndCatDataset('train_20.npy', str(tmp_path), 20)
    assert dataset.labels.tolist() == [0, 1, 142] and (dataset.n_classes, dataset.crop_ratio) == (143, .9)
    np.testing.assert_array_equal(dataset.load_ims([2, 0]), ims[[4, 2]].transpose(0, 3, 1, 2))
    augmented = PackedDogAndCatDataset('train_20.npy', str(tmp_path), 20, augmentation=True, crop_ratio=1.)
    found = augmented.load_ims([1], np.random.RandomState(0))[0].transpose(1, 2, 0)
    assert any(np.array_equal(found, im) for im in (ims[3], ims[3][:, ::-1]))


def zeros(*shape, dtype=np.uint8):
    return lambda path: np.save(path, np.zeros(shape, dtype))


@pytest.mark.parametrize('damage, message', [
    (lambda path: path.write_bytes(b''), r'train_20.npy: expected packed images, an .npy file .* 0 bytes that cannot'),
    (lambda path: path.write_bytes(path.read_bytes() + b'\0'), r'expected packed images, 8528 bytes in C order'),
    (lambda path: path.write_bytes(bytes(HEADER_BYTES) + path.read_bytes()[HEADER_BYTES:]), r'that cannot'),
    (zeros(7, 20, 20, 3, dtype=np.float32), r'uint8 \(N, size, size, 3\); found float32'),
    (zeros(7, 20, 21, 3), r'found uint8 \(7, 20, 21, 3\)'), (zeros(0, 20, 20, 3), r'found uint8 \(0, 20, 20, 3\)'),
    (lambda path: np.save(path, np.asfortranarray(np.zeros((7, 20, 20, 3), np.uint8))), r'in C order'),
    (zeros(8, 20, 20, 3), r'train_20_labels.npy: expected 8 labels'),
    (lambda path: np.save(path, np.array([{}]), allow_pickle=True), r'train_20.npy: expected packed images'),
    (lambda path: np.save(path.with_name('train_20_labels.npy'), np.zeros(7)), r'int32; found float64 \(7,\)'),
    (lambda path: save_labels(path, [0] * 6 + [1000]), r'train_20_labels.npy: expected labels 0 to 999, found 0 to '),
    (lambda path: save_labels(path, [0] * 6 + [-1]), r'expected labels 0 to 999, found -1 to 0'),
], ids=range(12))
def test_what_is_damaged_is_named(tmp_path, damage, message):
    write_packed(tmp_path)
    damage(tmp_path / 'train_20.npy')
    with pytest.raises(ValueError, match=message) as caught:
        PackedDataset('train_20.npy', str(tmp_path), 20)
    assert '\n' not in str(caught.value)


def test_what_is_missing_or_unfinished_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='train_20.npy: expected packed images, as prepare_imagenet.py'):
        PackedDataset('train_20.npy', str(tmp_path), 20)
    write_packed(tmp_path, [3, 4])
    with pytest.raises(ValueError, match='train_20.npy: expected images with labels 151 to 293, found 3 to 4'):
        PackedDogAndCatDataset('train_20.npy', str(tmp_path), 20)
    (tmp_path / 'train_20_labels.npy').unlink()
    with pytest.raises(FileNotFoundError, match='train_20_labels.npy: expected labels'):
        PackedDataset('train_20.npy', str(tmp_path), 20)
    with PackedWriter(tmp_path / 'a.npy', 20) as writer:
        writer.write(np.zeros((3, 20, 20, 3), np.uint8))
    save_labels(tmp_path / 'a.npy', [0, 0, 0])
    with pytest.raises(ValueError, match='a.npy: expected packed images'):
        PackedDataset('a.npy', str(tmp_path), 20)


def test_a_file_that_lost_bytes_is_not_gone_on_with(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')
    with pytest.raises(ValueError, match='a: expected at least 4 bytes, as the journal .* found 3; remove'):
        AppendedFile(str(tmp_path / 'a'), 4)
    with AppendedFile(str(tmp_path / 'a'), 2) as file:
        file.write(b'd')
    assert (tmp_path / 'a').read_bytes() == b'abd'
