import mmap
from types import SimpleNamespace

from source.datasets.packed import PackedDataset, PackedDogAndCatDataset
from source.datasets.packed_file import HEADER_BYTES, AppendedFile, PackedWriter, announce, open_packed, save_labels
from tests.datasets.imagenet_tree import photo
from tests.datasets.test_square_crops import Images

import numpy as np
import pytest
from PIL import Image

LABELS = [0, 150, 151, 152, 293, 294, 999]
NAME = 'train_20.npy'


def write_packed(folder, labels=LABELS):
    """Writes pieces of photographs with these labels; returns them, uint8 (N, 20, 20, 3)."""
    ims = np.stack([np.asarray(photo(k, (20, 20))) for k in range(len(labels))])
    with PackedWriter(folder / NAME, 20) as writer:
        writer.write(ims[:2])
        writer.write(ims[2:])
        writer.finish(len(ims))
    save_labels(folder / NAME, labels)
    return ims


def test_a_plain_numpy_file_is_mapped(tmp_path):
    ims = write_packed(tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / NAME), ims)
    np.testing.assert_array_equal(np.load(tmp_path / 'train_20_labels.npy'), LABELS)
    found, labels = open_packed(tmp_path / NAME)
    assert isinstance(found, np.memmap) and not found.flags.writeable and not isinstance(labels, np.memmap)
    dataset = PackedDataset(NAME, str(tmp_path), size=20)
    assert (len(dataset), dataset.size, dataset.n_classes) == (7, 20, 1000)
    assert [name for name, _ in dataset.files()] == [NAME, 'train_20_labels.npy']
    assert dataset.labels.tolist() == LABELS


@pytest.mark.parametrize('size, arguments', [
    (20, {}), (13, {}), (20, {'augmentation': True, 'crop_ratio': .35}), (20, {'augmentation': True}),
    (20, {'stretch_contrast': True})])
def test_sizes_crops_and_contrast_are_as_of_any_images(tmp_path, size, arguments):
    ims = write_packed(tmp_path)
    found = PackedDataset(NAME, str(tmp_path), size, **arguments)
    expected = Images([Image.fromarray(im) for im in ims], size, **arguments)
    for make_rng in (lambda: None, lambda: np.random.RandomState(3)):
        np.testing.assert_array_equal(found.load_ims([5, 2, 2], make_rng()), expected.load_ims([5, 2, 2], make_rng()))


@pytest.mark.skipif(not hasattr(mmap, 'MADV_WILLNEED'), reason='needs madvise')
def test_what_is_announced_is_what_is_read(tmp_path):
    """Whole pages that hold the rows, and no others."""
    write_packed(tmp_path, [0] * 200)
    ims, _ = open_packed(tmp_path / NAME)
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
    dataset = PackedDogAndCatDataset(NAME, str(tmp_path), 20)
    assert dataset.labels.tolist() == [0, 1, 142] and (dataset.n_classes, dataset.crop_ratio) == (143, .9)
    np.testing.assert_array_equal(dataset.load_ims([2, 0]), ims[[4, 2]].transpose(0, 3, 1, 2))
    augmented = PackedDogAndCatDataset(NAME, str(tmp_path), 20, augmentation=True, crop_ratio=1.)
    found = augmented.load_ims([1], np.random.RandomState(0))[0].transpose(1, 2, 0)
    assert any(np.array_equal(found, im) for im in (ims[3], ims[3][:, ::-1]))
    save_labels(tmp_path / NAME, [3] * 6 + [4])
    with pytest.raises(ValueError, match='train_20.npy: expected images with labels 151 to 293, found 3 to 4'):
        PackedDogAndCatDataset(NAME, str(tmp_path), 20)


def zeros(*shape, dtype=np.uint8):
    return lambda path: np.save(path, np.zeros(shape, dtype))


def unfinished(path):
    with PackedWriter(path, 20) as writer:
        writer.write(np.zeros((7, 20, 20, 3), np.uint8))


@pytest.mark.parametrize('damage, message', [
    (lambda path: path.write_bytes(b''), r'train_20.npy: expected packed images, an .npy file .* 0 bytes that cannot'),
    (lambda path: path.write_bytes(path.read_bytes() + b'\0'), r'expected packed images, 8528 bytes in C order'),
    (unfinished, r'that cannot'), (zeros(7, 20, 20, 3, dtype='f4'), r'uint8 \(N, size, size, 3\); found float32'),
    (zeros(7, 20, 21, 3), r'found uint8 \(7, 20, 21, 3\)'), (zeros(0, 20, 20, 3), r'found uint8 \(0, 20, 20, 3\)'),
    (lambda path: np.save(path, np.asfortranarray(np.zeros((7, 20, 20, 3), np.uint8))), r'in C order'),
    (zeros(8, 20, 20, 3), r'train_20_labels.npy: expected 8 labels'),
    (lambda path: np.save(path, np.array([{}]), allow_pickle=True), r'train_20.npy: expected packed images'),
    (lambda path: np.save(path.with_name('train_20_labels.npy'), np.zeros(7)), r'int32; found float64 \(7,\)'),
    (lambda path: save_labels(path, [0] * 6 + [1000]), r'train_20_labels.npy: expected labels 0 to 999, found 0 to '),
    (lambda path: save_labels(path, [0] * 6 + [-1]), r'expected labels 0 to 999, found -1 to 0'),
    (lambda path: path.unlink(), 'train_20.npy: expected packed images, as source/datasets/prepare_imagenet.py'),
    (lambda path: path.with_name('train_20_labels.npy').unlink(), 'train_20_labels.npy: expected labels')],
    ids=range(14))
def test_what_is_damaged_or_missing_is_named(tmp_path, damage, message):
    write_packed(tmp_path)
    damage(tmp_path / NAME)
    with pytest.raises((ValueError, FileNotFoundError), match=rf'^[^\n]*{message}[^\n]*$'):
        PackedDataset(NAME, str(tmp_path), 20)


def test_a_file_that_lost_bytes_is_not_gone_on_with(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')
    with pytest.raises(ValueError, match='a: expected at least 4 bytes, as the journal .* found 3; remove'):
        AppendedFile(str(tmp_path / 'a'), 4)
    with AppendedFile(str(tmp_path / 'a'), 2) as file:
        file.write(b'd')
    assert (tmp_path / 'a').read_bytes() == b'abd'
