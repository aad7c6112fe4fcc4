"""The command on a small ImageNet of real encodings; the oracle of its pixels is the dataset that reads raw files."""
import os
import re

import train
from source.datasets import preparation
from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, arguments_of, encoded, photo, refused, report_of, write_tree
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest


def test_packed_images_are_those_of_the_raw_files(tree, prepared):
    raw = ImageNetDataset(str(prepared / 'image_list.txt'), str(tree[0]), 48)
    packed = PackedDataset('train_48.npy', str(prepared), 48)
    folder = ImageNetDataset(str(prepared / 'train_48/image_list.txt'), str(prepared / 'train_48'), 48)
    assert len(raw) == len(tree[1]) == 30
    for dataset in (packed, folder):
        np.testing.assert_array_equal(dataset.labels, raw.labels)
        np.testing.assert_array_equal(dataset.load_ims(np.arange(30)), raw.load_ims(np.arange(30)))


def test_lists(tree, prepared):
    lines = (prepared / 'image_list.txt').read_text().splitlines()
    assert lines == [f'{name} {WNIDS.index(name[:9])}' for name in tree[1]]
    assert not (prepared / 'image_list_dog_and_cat.txt').exists()  # 4 classes: their labels are not known
    assert (prepared / 'train_48/image_list.txt').read_text() == '\n'.join(lines).replace('.JPEG', '.png') + '\n'


def test_report_names_every_file(tree, prepared):
    report = report_of(prepared)
    skipped = dict(report['skipped'])
    assert sorted(skipped) == sorted([*tree[2], f'{WNIDS[1]}/Thumbs.db', 'readme.txt'])
    reasons = {'truncated': 'truncated', 'empty': 'it is empty', 'text': 'none of JPEG', 'float': '32-bit',
               'Thumbs': 'its name ends in .db', 'readme': 'not the folder of a class'}
    for kind, reason in reasons.items():
        (name,) = (name for name in skipped if kind in name)
        assert reason in skipped[name] and str(tree[0]) not in skipped[name]
    changed = {name.partition('_')[2]: change for change, names in report['changed'].items() for name in names}
    assert changed == {'CMYK.JPEG': 'CMYK', 'grey.JPEG': 'grey', '16-bit-grey.JPEG': '16-bit grey',
                       'palette.JPEG': 'transparency left out', 'upright.JPEG': 'turned upright (EXIF 6)'}
    assert report['n_changed'] == {'CMYK': 1, 'grey': 1, '16-bit grey': 1, 'palette': 1, 'transparency left out': 1,
                                   'turned upright (EXIF 6)': 1}
    on_disk = {str(p.relative_to(tree[0])) for p in tree[0].rglob('*') if p.is_file()}
    assert {*(line.split()[0] for line in (prepared / 'image_list.txt').read_text().splitlines()), *skipped} == on_disk
    assert (report['n_images'], report['n_skipped'], report['classes_without_images']) == (30, 6, [])


def test_output(tree, tmp_path, capsys):
    assert run(main, '--train', tree[0], '--out', tmp_path, '--size', 8) == 0
    captured = capsys.readouterr()
    assert f'train: 30 images of 4 classes in {tmp_path}/train_8.npy' in captured.out
    assert '6 skipped:' in captured.out and 'readme.txt: not the folder' in captured.out and '1 CMYK' in captured.out
    assert '4 classes, not 1000' in captured.out and 'train: 100%' in captured.err
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'image_list.txt', 'train_8.npy', 'train_8_labels.npy', 'train_8_report.json']


def test_names_of_any_bytes_and_files_that_are_none(tmp_path, capsys):
    """What cannot be printed is escaped, in one line; a pipe is not waited for."""
    write_tree(tmp_path / 'raw', 2, WNIDS[:2], {}, {})
    folder = os.fsencode(tmp_path / 'raw' / WNIDS[0])
    (tmp_path / 'raw' / WNIDS[0] / 'a\nb.JPEG').write_bytes(b'')
    for name, content in ((b'\xff.JPEG', b''), (b'\xfe.JPEG', encoded(photo(0)))):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content)
    os.mkfifo(os.path.join(folder, b'pipe.JPEG'))
    os.symlink('nowhere', os.path.join(folder, b'link.JPEG'))
    for _ in range(2):
        assert run(main, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8) == 0
        lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
        assert f'{WNIDS[0]}/a\\nb.JPEG: its name cannot stand in a list' in lines
        assert f'{WNIDS[0]}/\\udcff.JPEG: a file Pillow cannot read (it is empty)' in lines
        assert [f'{WNIDS[0]}/{name}.JPEG: neither a file nor a link to one' in lines for name in ('pipe', 'link')] == [
            True, True]
    assert report_of(tmp_path / 'out', 'train_8')['n_images'] == 5
    dataset = ImageNetDataset(str(tmp_path / 'out/image_list.txt'), str(tmp_path / 'raw'), 8)
    np.testing.assert_array_equal(dataset.load_ims(np.arange(5)), PackedDataset(
        'train_8.npy', str(tmp_path / 'out'), 8).load_ims(np.arange(5)))


def test_images_whose_names_differ_in_their_endings_alone(tmp_path):
    """Each has a square of its own in the folder too."""
    folder = tmp_path / 'raw' / WNIDS[0]
    folder.mkdir(parents=True)
    names = ['a.JPEG', 'a.PNG', 'a.jpeg', 'a.jpg', 'a.png', 'a.png.JPEG']
    for k, name in enumerate(names):
        (folder / name).write_bytes(encoded(photo(k), 'PNG'))
    assert run(main, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8, '--formats', 'packed',
               'folder') == 0
    squares = ImageNetDataset(str(tmp_path / 'out/train_8/image_list.txt'), str(tmp_path / 'out/train_8'), 8)
    packed = PackedDataset('train_8.npy', str(tmp_path / 'out'), 8)
    np.testing.assert_array_equal(squares.load_ims(np.arange(6)), packed.load_ims(np.arange(6)))
    assert len({im.tobytes() for im in packed.load_ims(np.arange(6))}) == 6
    assert sorted(path.name for path in (tmp_path / 'out/train_8' / WNIDS[0]).iterdir()) == [
        'a.PNG.png', 'a.jpeg.png', 'a.jpg.png', 'a.png', 'a.png.JPEG.png', 'a.png.png']


def test_only_lists(tree, tmp_path):
    """Nothing is opened, so what cannot be read is in them too."""
    assert run(main, '--train', tree[0], '--out', tmp_path, '--formats', 'list') == 0
    assert [p.name for p in tmp_path.iterdir()] == ['image_list.txt']
    assert len((tmp_path / 'image_list.txt').read_text().splitlines()) == 34


@pytest.mark.parametrize('workers', [1, 3])
def test_the_same_whatever_the_number_of_workers(tree, prepared, tmp_path, workers, monkeypatch):
    monkeypatch.setattr(preparation, 'CHUNK', 3)
    assert run(main, *arguments_of(tree, tmp_path, workers)) == 0
    assert files_in(tmp_path) == files_in(prepared)


def test_training_sees_the_same_images_from_either(tree, tmp_path):
    """The command of the help: training from the packed file gives the bits of training from the raw folder."""
    assert run(main, '--train', tree[0], '--out', tmp_path, '--size', 8) == 0
    config = write_config(tmp_path, {
        'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4, 'dataset': {
            'dataset_fn': 'datasets/imagenet.py', 'dataset_name': 'ImageNetDataset',
            'args': {'path': str(tmp_path / 'image_list.txt'), 'size': 8, 'n_classes': 4}}})
    packed = ['dataset.dataset_fn=datasets/packed.py', 'dataset.dataset_name=PackedDataset',
              'dataset.args.path=train_8.npy']
    for out, data_dir, more in (('a', tree[0], ()), ('b', tmp_path, (
            '--loader_workers', 2, *(word for setting in packed for word in ('--set', setting))))):
        assert run(train.main, '--config', config, '--data_dir', data_dir, '--results_dir', tmp_path / out, '--gpu', -1,
                   *more) == 0
    with np.load(tmp_path / 'a/snapshot_iter_2') as a, np.load(tmp_path / 'b/snapshot_iter_2') as b:
        compared = [name for name in a.files if name.startswith('updater/')]
        assert len(compared) > 50
        for name in compared:
            np.testing.assert_array_equal(a[name], b[name])


def test_other_images_or_settings_are_refused(tree, prepared, tmp_path, capsys):
    arguments = ['--train', tree[0], '--out', prepared, '--formats', 'packed', 'folder', '--size', 48]
    before = files_in(prepared)
    assert 'train_48_report.json: is of other images or settings: resize_method: expected bicubic, found bilinear' in (
        refused(capsys, *arguments, '--resize_method', 'bicubic'))
    write_tree(tmp_path / 'raw', 2)
    assert 'is of other images or settings: images: expected' in refused(
        capsys, '--train', tmp_path / 'raw', *arguments[2:])
    assert files_in(prepared) == before


def test_a_list_of_other_images_is_kept(tree, tmp_path, capsys):
    (tmp_path / 'image_list.txt').write_text('mine')
    assert 'image_list.txt: is there and holds other images' in refused(
        capsys, '--train', tree[0], '--out', tmp_path, '--formats', 'list')
    assert (tmp_path / 'image_list.txt').read_text() == 'mine'


def test_no_image_that_can_be_read(tmp_path, capsys):
    (tmp_path / 'raw' / WNIDS[0]).mkdir(parents=True)
    assert 'raw: expected images, found none' in refused(capsys, '--train', tmp_path / 'raw', '--out', tmp_path / 'out')
    (tmp_path / 'raw' / WNIDS[0] / 'a.JPEG').write_bytes(b'')
    error = refused(capsys, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8)
    assert 'raw: expected images, found none that can be read' in error
    assert not (tmp_path / 'out/train_8.npy').exists()


@pytest.mark.parametrize('arguments, message', [
    ((), 'expected --train or --val'), (('--train', 'nowhere'), '--train nowhere: no such folder'),
    (('--train', '.', '--size', 0), '--size: expected at least 1, found 0'),
    (('--train', '.', '--workers', 0), '--workers: expected at least 1, found 0'),
    (('--train', '.'), r'.: expected folders n########, one a class, found nothing'),
    (('--val', '.'), 'has no folders n########: expected --val_classes'),
])
def test_bad_arguments(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)


def test_help_and_its_example(capsys):
    assert run(main, '--help') == 0
    text = capsys.readouterr().out
    for option in re.findall(r'--\w+', text.partition('usage:')[2].partition('\n\n')[0]):
        assert text.count(option) > 1, option
    assert 'python source/datasets/prepare_imagenet.py --train' in text
