"""A folder of one's own: what its classes and pixels are, prepared or not, and a whole training on it."""
import os
import re

import train
from evaluations import gen_images
from source.config.build import build_real_images
from source.config.yaml_utils import load_config
from source.datasets import folder
from source.datasets.class_folders import class_folders
from source.datasets.folder import FolderDataset
from source.datasets.prepare_images import main as prepare
from tests.children import ROOT
from tests.datasets.imagenet_tree import GOOD, encoded, photo
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image

CONFIG = ROOT / 'configs/sn_projection_folder.yml'
NARROW = ('--set', 'size=32', '--set', 'models.generator.args.ch=2', '--set', 'models.discriminator.args.ch=2', '--set',
          'batchsize=4', '--set', 'updater.args.n_gen_samples=4', '--set', 'evaluation_interval=2', '--set',
          'snapshot_interval=1', '--gpu', -1)
CLASSES = ['<b> & "x"', 'Großer Tempel', '花']


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """In three classes six photographs each, and those of all encodings; a link to a folder, and what is no image."""
    root = tmp_path_factory.mktemp('pictures')
    for c, name in enumerate(CLASSES):
        at = root / name if c else root.with_name('elsewhere')
        at.mkdir()
        for k in range(6):
            (at / f'ein bild {k}.jpg').write_bytes(encoded(photo(k + 6 * c)))
    (root / CLASSES[0]).symlink_to(root.with_name('elsewhere'))
    for name, content in GOOD.items():
        (root / CLASSES[1] / f'{name}.png').write_bytes(content)
    (root / 'empty').mkdir()
    (root / '.DS_Store').write_bytes(b'x')
    return root


@pytest.fixture(scope='module')
def packed(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp('packed')
    assert run(prepare, '--images', pictures, '--out', out, '--size', 24) == 0
    return out


@pytest.mark.parametrize('names, classes, labels', [
    (['10/a.png', '9/a.png', '10/b.png'], ['9', '10'], [1, 0, 1]),
    (['10/a.png', '9/a.png', 'x/a.png'], ['10', '9', 'x'], [0, 1, 2]),
    (['1/a.png', '01/a.png', '2/a.png'], ['01', '1', '2'], [1, 0, 2]),
    (['a\n\udcff/a.png'], ['a\\n\\udcff'], [0]), (['a.png', 'x/b.png'], [], [0, 0]),
    (['x/y/a.png', 'x/b.png'], [], [0, 0])])
def test_classes(names, classes, labels):
    found, counted = class_folders(names)
    assert (found, counted.tolist()) == (classes, labels)


def test_pixels_and_classes(pictures, packed, monkeypatch, capsys):
    """Pillow's crop and resize are the oracle; kept in memory, read again and again and prepared: the same."""
    datasets = [FolderDataset(str(pictures), 24), FolderDataset(str(packed), 24)]
    line = capsys.readouterr().err
    assert '24 images of 3 classes: <b> & "x" (6), Großer Tempel (12), 花 (6); ' in line and '3 grey' not in line
    assert '1 transparency left out' in line and '1 turned upright (EXIF 6)' in line and '; prepared ones' in line
    monkeypatch.setattr(folder, 'MOST_BYTES', 24 * 3 * 24 ** 2 - 1)
    datasets.append(FolderDataset(str(pictures), 24))
    assert [dataset.ims is None for dataset in datasets] == [False, True, True]
    names = [name for name, _ in datasets[0].files()]
    first = datasets[0].load_ims([0])[0]
    with Image.open(pictures / names[0]) as image:
        side, (width, height) = min(image.size), image.size
        left, top = (width - side) // 2, (height - side) // 2
        expected = image.crop((left, top, left + side, top + side)).resize((24, 24), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(first, np.asarray(expected).transpose(2, 0, 1))
    for dataset in datasets:
        assert dataset.class_names == CLASSES
        assert dataset.labels.tolist() == [CLASSES.index(name.split('/')[0]) for name in names]
        np.testing.assert_array_equal(dataset.load_ims(np.arange(24)), datasets[0].load_ims(np.arange(24)))
    grey = [FolderDataset(str(root), 24, channels=1).load_ims(np.arange(24)) for root in (pictures, packed)]
    np.testing.assert_array_equal(*grey)
    assert grey[0].shape == (24, 1, 24, 24)
    np.testing.assert_array_equal(grey[0][0, 0], expected.convert('L'))
    mirrored = FolderDataset(str(pictures), 24, mirror=True, classes=CLASSES[::-1])
    assert (2 - mirrored.labels).tolist() == datasets[0].labels.tolist()
    found, plain = mirrored.load_ims(np.arange(24), np.random.default_rng(0)), mirrored.load_ims(np.arange(24))
    is_mirrored = (found != plain).any((1, 2, 3))
    np.testing.assert_array_equal(found, np.where(is_mirrored[:, None, None, None], plain[..., ::-1], plain))
    assert 4 < is_mirrored.sum() < 20


def test_images_smaller_than_the_square_are_said_to_be_enlarged(pictures, tmp_path, capsys):
    FolderDataset(str(pictures), 64)
    assert '4 smaller than the squares, and enlarged' in capsys.readouterr().err
    assert run(prepare, '--images', pictures, '--out', tmp_path, '--size', 64) == 0
    assert '\n  4 smaller than the squares, and enlarged\n' in capsys.readouterr().out


def test_refusals(pictures, packed, tmp_path):
    (tmp_path / 'bad').mkdir()
    (tmp_path / 'bad/a.png').write_bytes(b'')
    (tmp_path / 'bad/b.png').write_bytes(encoded(photo(0)))
    (tmp_path / 'torn').mkdir()
    (tmp_path / 'torn/images_8.npy').write_bytes(b'')
    for name in ('a\\n', 'a\n'):
        (tmp_path / 'alike' / name).mkdir(parents=True)
        (tmp_path / 'alike' / name / 'a.png').touch()
    for root, arguments, message in (
            (tmp_path / 'torn', {}, 'torn: expected images_64.npy, images of 64 px, found images_8.npy: choose that'),
            (tmp_path / 'torn', {'size': 8}, 'images_8_report.json: expected the report of the images beside it'),
            (packed, {'size': 24, 'resize_method': 'bicubic'}, 'resize_method: expected bicubic, found bilinear'),
            (pictures / 'empty', {}, r'empty: expected images \(.jpg, .*\), found none'),
            (tmp_path / 'bad', {}, r'bad: 1 of 2 images cannot be read: a.png \(.*it is empty\)\); remove them, or'),
            (pictures, {'classes': ['a', '花']}, 'expected the 2 classes .* found 3, without a and with <b> & "x"'),
            (pictures, {'classes': 'abc'}, "classes: expected a list of names, found 'abc'"),
            (tmp_path / 'alike', {}, r'alike: expected folders that can be told apart, found two .* shown as a\\n'),
            (pictures, {'channels': 2}, 'channels: expected 3 or 1, got 2')):
        with pytest.raises(ValueError, match=message):
            FolderDataset(str(root), **arguments)


@pytest.mark.parametrize('images, out, message', [
    ('none', 'out', '--images none: no such folder'), ('.', 'sub', '--out sub: expected a folder outside --images .'),
    ('empty', 'out', '--images empty: expected images, found none')])
def test_preparation_refused(images, out, message, tmp_path, monkeypatch, capsys):
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(prepare, '--images', images, '--out', out) == 2
    assert message in capsys.readouterr().err and os.listdir() == ['empty']


def test_training_resuming_and_sampling(pictures, tmp_path, capsys):
    """The resolved config holds numbers and names; a resumed run ends in the same bits; other classes are refused."""
    common = '--config', CONFIG, '--data_dir', pictures, *NARROW
    assert run(train.main, *common, '--set', 'iteration=2', '--results_dir', tmp_path / 'whole') == 0
    config = load_config(tmp_path / 'whole/config.yml')
    assert [config['models'][kind]['args']['n_classes'] for kind in ('generator', 'discriminator')] == [3, 3]
    assert config['dataset']['args'] == {'size': 32, 'mirror': False, 'classes': CLASSES,
                                         'images': FolderDataset(str(pictures), 32).found}
    assert config['models']['generator']['fn'] == 'gen_models/resnet_32.py' and config['size'] is None
    snapshot = tmp_path / 'whole/ResNetGenerator_2.npz'
    assert run(gen_images.main, '--snapshot', snapshot, '--classes', 'großer tempel') == 0
    assert list(files_in(tmp_path / 'whole/gen_images')) == ['1.png']
    half = '--results_dir', tmp_path / 'half'
    assert run(train.main, *common, '--set', 'iteration=1', *half) == 0
    assert run(train.main, *common, '--set', 'iteration=2', '--resume', 'auto', *half) == 0
    with np.load(snapshot) as one, np.load(tmp_path / 'half/ResNetGenerator_2.npz') as other:
        assert all(np.array_equal(one[name], other[name]) for name in one.files)
    before = files_in(tmp_path / 'half')
    for name in ('a', 'b', 'c'):
        (tmp_path / 'other' / name).mkdir(parents=True)
        (tmp_path / 'other' / name / 'a.jpg').write_bytes(encoded(photo(0)))
    others = '--config', CONFIG, '--data_dir', tmp_path / 'other'
    assert run(train.main, *others, *NARROW, '--resume', 'auto', *half) == 2
    assert (f'dataset: expected the 3 classes that {tmp_path}/half/snapshot_iter_2 was trained on, found 3, without '
            '<b> & "x", Großer Tempel, 花 and with a, b, c') in capsys.readouterr().err
    assert files_in(tmp_path / 'half') == before
    for name, to in zip('abc', CLASSES, strict=True):  # the same classes, but other images
        (tmp_path / 'other' / name).rename(tmp_path / 'other' / to)
    assert run(train.main, *others, *NARROW, '--set', 'iteration=3', '--resume', 'auto', *half) == 0
    assert re.search(r'dataset: 3 images, \w{12}; .*snapshot_iter_2 was trained on others: 24 images, \w{12}\n',
                     capsys.readouterr().err)
    FolderDataset(str(pictures), 32, images='3 images, 0123456789ab')
    assert 'are not those of the run: 3 images, 0123456789ab' in capsys.readouterr().err


def test_images_that_change_are_prepared_anew(tmp_path, capsys):
    for name in ('a/a.png', 'b/a.png'):
        (tmp_path / 'in' / name).parent.mkdir(parents=True)
        (tmp_path / 'in' / name).write_bytes(encoded(photo(0), 'PNG'))
    arguments = '--images', tmp_path / 'in', '--out', tmp_path / 'out', '--size', 8
    assert run(prepare, *arguments) == run(prepare, *arguments) == 0
    (tmp_path / 'in/a/a.png').write_bytes(encoded(photo(1), 'PNG'))
    assert run(prepare, *arguments) == 2
    assert 'images_8_report.json: is of other images or settings: images: expected' in capsys.readouterr().err


@pytest.mark.parametrize('options, message', [
    ((), 'models.generator.args.n_classes: auto: expected a data set with classes, found FolderDataset without any'),
    (('--set', 'size=40'), 'size: expected one of 32, 48, 64, 128, 256, found 40 (int)'),
    (('--set', 'size=null'), 'size: expected one of 32, 48, 64, 128, 256, found nothing'),
    (('--config', ROOT / 'configs/sn_cifar10.yml', '--set', 'size=32'), "size: expected a config with '{size}'"),
    (('--config', ROOT / 'configs/sn_folder.yml', '--results_dir', '{data}/out'),
     'out: expected a results folder outside the folder of the images')])
def test_training_refused(pictures, tmp_path, options, message, capsys):
    common = '--config', CONFIG, '--data_dir', pictures / '花', '--results_dir', tmp_path / 'out'
    before = files_in(pictures)
    options = [str(option).format(data=pictures / '花') for option in options]
    assert run(train.main, *common, *NARROW[2:], *options) == 2
    assert message in capsys.readouterr().err and not (tmp_path / 'out').exists() and files_in(pictures) == before


def test_the_data_set_of_the_pages(pictures, tmp_path, monkeypatch):
    """Of a square image its pixels are those of the folder."""
    code = (ROOT / 'docs' / 'data.md').read_text(encoding='utf-8').partition('```python\n')[2].partition('```')[0]
    (tmp_path / 'listed.py').write_text(code)
    images = tmp_path / 'images'
    images.mkdir()
    (images / 'square.png').write_bytes(encoded(photo(0, (50, 50)), 'PNG'))
    (images / 'labels.csv').write_text('square.png,1\nsquare.png,0\n')
    monkeypatch.chdir(tmp_path)
    assert run(train.main, '--config', CONFIG, '--data_dir', images, *NARROW, '--set', 'iteration=1', '--set',
               'dataset.dataset_fn=listed.py', '--set', 'dataset.dataset_name=Listed', '--set',
               'dataset.args={size: 32}', '--results_dir', 'out') == 0
    config = load_config('out/config.yml')
    assert config['models']['generator']['args']['n_classes'] == 2
    dataset = build_real_images(config, 'out/config.yml', str(images))
    expected = FolderDataset(str(images), 32)
    np.testing.assert_array_equal(dataset.load_ims([0]), expected.load_ims([0]))
