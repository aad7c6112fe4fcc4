from source.datasets.draw_order import write_draw_order
from source.datasets.image_files import ImageArray, ImageFolder, open_images
from source.datasets.image_sizes import describe_sizes
from source.scoring import judging
from tests.datasets.writers import pixels

import numpy as np
import pytest
from PIL import Image

IMS = pixels(6, 3, 8, 8)


def write(root, *names):
    """IMS, one after another, as .png files of these names."""
    for name, im in zip(names, IMS, strict=False):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(im.transpose(1, 2, 0)).save(root / f'{name}.png')


@pytest.fixture
def save(tmp_path):
    def to(**arrays):
        np.savez(tmp_path / 'a.npz', **arrays)
        return tmp_path / 'a.npz'
    return to


def test_folders_with_and_without_classes(tmp_path):
    write(tmp_path, '10/a', '10/b', '10/c', '9/a', '9/b', '9/c')  # which is how names are sorted, and found
    folder = ImageFolder(tmp_path)
    assert (len(folder), folder.folders, folder.n_classes, folder.labelled) == (6, ['9', '10'], 2, True)
    assert folder.labels.tolist() == [1, 1, 1, 0, 0, 0]  # in order of numbers, not of letters
    np.testing.assert_array_equal(folder.load_ims(range(6)), IMS)
    for k, names in enumerate((['a', 'b/c'], ['a/b/c', 'a/b/d'], ['a', 'b'])):
        write(tmp_path / f'without/{k}', *names)
        folder = ImageFolder(tmp_path / f'without/{k}')
        assert (folder.labelled, folder.n_classes, len(folder)) == (False, 1, 2)


def test_images_of_several_sizes(tmp_path, monkeypatch):
    """As a list; turned upright, of which the size is told too; so many as fit into memory, one at least."""
    write(tmp_path, 'a', 'b', 'c')
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(IMS[1, :, :5].transpose(1, 2, 0)).save(tmp_path / 'b.png', exif=exif)
    folder = open_images(tmp_path)
    for (_, size), im, expected in zip(map(folder.name_and_size, range(3)), folder.load_ims([0, 1, 2]),
                                       (IMS[0], np.rot90(IMS[1, :, :5], -1, (1, 2)), IMS[2]), strict=True):
        np.testing.assert_array_equal(im, expected)
        assert size == expected.shape[:0:-1]
    assert folder.load_ims([0, 2]).shape == (2, 3, 8, 8)
    assert [len(folder.load_some([0, 1, 2], n)) for n in (1, 192, 193, 10 ** 6)] == [1, 1, 2, 3]
    monkeypatch.setattr(judging, 'BATCH_BYTES', 193)
    ims, y = zip(*judging.stored_batches(folder, np.array([2, 0, 1, 0]), np.array([7, 8, 9])))
    assert [len(batch) for batch in ims] == [2, 2] and np.concatenate(y).tolist() == [9, 7, 8, 7]
    for sizes, expected in (([], None), ([(8, 8)], '8x8'), ([(640, 480), (9, 9), (48, 32)],
                                                             '3 sizes, 9x9 to 640x480 (WxH)'),
                            ([(9, 9), (8, 8)], '2 sizes, 8x8 to 9x9'), ([(5, 8)], '5x8 (WxH)')):
        assert describe_sizes(sizes) == expected


GREY, WIDE = IMS[:, :1], IMS[:, :, :7]


@pytest.mark.parametrize('array, expected, told', [
    (IMS, IMS, ''), (IMS.transpose(0, 2, 3, 1), IMS, ''), (GREY, GREY, ''), (GREY[:, 0], GREY, ''),
    (GREY.transpose(0, 2, 3, 1), GREY, ''), (WIDE, WIDE, ''),
    (IMS[..., :3], IMS[..., :3], '(6, 3, 8, 3) is taken as (N, 3, H, W), not as (N, H, W, 3)'),
    (IMS[0], IMS[0][:, None], '(3, 8, 8) is taken as grey (N, H, W), not as one RGB image (3, H, W)')])
def test_shapes(tmp_path, capsys, array, expected, told):
    np.save(tmp_path / 'a.npy', array)
    np.savez(tmp_path / 'a.npz', array)
    for name, where in (('a.npy', 'a.npy'), ('a.npz', 'a.npz: arr_0')):
        images = open_images(tmp_path / name)
        np.testing.assert_array_equal(images.load_ims(np.arange(len(images))), expected)
        assert (images.labelled, images.draw_order, images.channels) == (False, None, expected.shape[1])
        assert capsys.readouterr().err == (f'{tmp_path}/{where}: {told}\n' if told else '')


@pytest.mark.parametrize('array, expected', [
    (IMS[0].transpose(1, 2, 0), 'expected uint8 (N, 3, H, W), (N, H, W, 3) or, of grey images, (N, H, W), found uint8 '
     '(8, 8, 3), which looks like one image; x[None] makes it an array of one'),
    (IMS / 255., "found float64 (6, 3, 8, 8); (x * 255).round().astype('uint8') makes it that, of values from 0 to 1"),
    (IMS / 127.5 - 1, "((x + 1) * 127.5).round().astype('uint8') makes it that, of values from -1 to 1"),
    (GREY // 128, 'expected values from 0 to 255, found none above 1'),
    (np.array([object()]), 'not a complete .npy file of images (Object arrays cannot be loaded when')])
def test_npy_refused(tmp_path, array, expected):
    np.save(tmp_path / 'a.npy', array)
    with pytest.raises(ValueError) as error:
        open_images(tmp_path / 'a.npy')
    assert str(error.value).startswith(f'{tmp_path}/a.npy: ') and expected in str(error.value)


def test_npz_and_what_is_said_of_several_arrays(save, capsys):
    for name, key in (('ims', None), ('mine', 'mine'), ('anything', None)):
        np.testing.assert_array_equal(ImageArray(save(**{name: IMS}), key).ims, IMS)
    labels, order = [0, 3, 1, 1, 0, 0], [5, 3, 9, 0, 1, 2]
    images = open_images(save(x=IMS, y=labels, draw_order=order))
    assert (images.labelled, images.n_classes, images.labels.tolist()) == (True, 4, labels)
    assert images.draw_order.tolist() == order
    assert capsys.readouterr().err == ''
    path = save(x=IMS[::-1], ims=IMS, labels=np.arange(6), y=np.zeros(6, int))
    images = ImageArray(path)
    assert images.labels.tolist() == list(range(6)) and np.array_equal(images.ims, IMS)
    assert capsys.readouterr().err.splitlines() == [
        f'{path}: images are taken from ims, not from x; --key names one',
        f'{path}: labels are taken from labels, not from y']
    np.testing.assert_array_equal(ImageArray(path, 'x').load_ims(np.arange(6)), IMS[::-1])


@pytest.mark.parametrize('arrays, key, expected', [
    ({'a': IMS, 'b': IMS}, None, 'expected images under ims or images or x or arr_0, found a, b'),
    ({'a': IMS}, 'b', 'expected images under b, found a'),
    ({'ims': IMS // 128}, None, 'ims: expected values from 0 to 255, found none above 1'),
    ({'ims': IMS[:, :2]}, None, 'ims: expected uint8'), ({'ims': IMS[:0]}, None, 'ims: expected uint8'),
    ({'ims': IMS, 'labels': np.arange(5)}, None, r'labels: expected \(6,\) integers from 0'),
    ({'ims': IMS, 'labels': np.arange(6) - 1}, None, r'labels: expected \(6,\) integers from 0'),
    ({'ims': IMS, 'labels': np.arange(6) + 2 ** 31 - 5}, None, r'below 2\*\*31, found int64 \(6,\) of 2147483643 to'),
    ({'ims': IMS, 'labels': np.arange(6.)}, None, r'labels: expected \(6,\) integers from 0'),
    ({'ims': IMS, 'draw_order': np.zeros(6, int)}, None, r'draw_order: expected \(6,\) different integers'),
    ({'ims': np.array([object()])}, None, 'not a complete .npz file of images')])
def test_npz_refused(save, arrays, key, expected):
    with pytest.raises(ValueError, match=f'a.npz: .*{expected}'):
        ImageArray(save(**arrays), key)


def test_what_is_told_of_a_folder(tmp_path, capsys):
    """A loose image takes the classes away; a record of draws one level down; transparency, once."""
    write(tmp_path, '0/a', '1/b', 'images/c', 'images/d')
    (tmp_path / 'images' / 'draw_order.json').write_text('{}')
    assert ImageFolder(tmp_path).labelled
    err = capsys.readouterr().err
    assert f'images/draw_order.json is not followed; --images {tmp_path}/images would follow it' in err
    for name in ('back.png', 'cover.png'):
        Image.new('RGBA', (8, 8), (9, 9, 9, 9)).save(tmp_path / name)
    folder = ImageFolder(tmp_path)
    assert not folder.labelled
    assert 'the images have no classes, as back.png is not in a folder of the first level' in capsys.readouterr().err
    for _ in range(2):
        folder.load_ims(range(6))
    assert capsys.readouterr().err.count('is partly transparent') == 1
    with pytest.raises(ValueError, match=f'--key x: goes with an .npz, not with {tmp_path}'):
        open_images(tmp_path, key='x')


def test_ones_own_output_is_passed_over_in_silence(tmp_path, capsys):
    write(tmp_path, '0')
    write_draw_order(tmp_path, ['0.png'])
    assert ImageFolder(tmp_path).draw_order.tolist() == [0]
    assert capsys.readouterr().err == ''
    (tmp_path / 'notes.md').touch()
    (tmp_path / '1.png').symlink_to('0.png')
    ImageFolder(tmp_path)
    err = capsys.readouterr().err
    assert f'{tmp_path}: 1 entry passed over: its name ends in .md' in err
    assert '2 images, but only 1 files: links count some more than once' in err
