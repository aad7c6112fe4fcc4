"""The command on a small ImageNet of real encodings; the oracle of its pixels is the dataset that reads raw files."""
import os

import train
from source.datasets import preparation
from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from source.datasets.prepared_images import png_name
from tests.datasets.imagenet_tree import GOOD, WNIDS, arguments_of, encoded, photo, refused, report_of, write_tree
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest


def test_packed_images_and_lists_are_those_of_the_raw_files(tree, prepared):
    raw = ImageNetDataset(str(prepared / 'image_list.txt'), str(tree[0]), 48)
    packed = PackedDataset('train_48.npy', str(prepared), 48)
    folder = ImageNetDataset(str(prepared / 'train_48/image_list.txt'), str(prepared / 'train_48'), 48)
    assert len(raw) == len(tree[1]) == 30
    for dataset in (packed, folder):
        np.testing.assert_array_equal(dataset.labels, raw.labels)
        np.testing.assert_array_equal(dataset.load_ims(np.arange(30)), raw.load_ims(np.arange(30)))
    lines = (prepared / 'image_list.txt').read_text().splitlines()
    assert lines == [f'{name} {WNIDS.index(name[:9])}' for name in tree[1]]
    assert (prepared / 'train_48/image_list.txt').read_text() == '\n'.join(lines).replace('.JPEG', '.png') + '\n'
    assert not (prepared / 'image_list_dog_and_cat.txt').exists()  # 4 classes: their labels are not known


def test_squares_of_names_that_differ_in_their_endings_alone():
    assert [png_name(f'n1/{name}') for name in ('a.JPEG', 'a.PNG', 'a.jpeg', 'a.png', 'a.png.JPEG', 'a.b.JPEG')] == [
        'n1/a.png', 'n1/a.PNG.png', 'n1/a.jpeg.png', 'n1/a.png.png', 'n1/a.png.JPEG.png', 'n1/a.b.png']


def test_report_names_every_file(tree, prepared):
    report = report_of(prepared)
    skipped = dict(report['skipped'])
    assert sorted(skipped) == sorted([*tree[2], f'{WNIDS[1]}/Thumbs.db', 'readme.txt'])
    reasons = {'truncated': 'truncated', 'empty': 'it is empty', 'text': 'none of JPEG', 'float': '32-bit',
               'Thumbs': 'its name ends in .db', 'readme': 'not the folder of a class'}
    for kind, reason in reasons.items():
        (name,) = (name for name in skipped if kind in name)
        assert reason in skipped[name] and str(tree[0]) not in skipped[name]
    changed = {change: [name.partition('_')[2] for name in names] for change, names in report['changed'].items()}
    assert changed == {
        'CMYK': ['CMYK.JPEG'], 'grey': ['grey.JPEG'], '16-bit grey': ['16-bit-grey.JPEG'], 'palette': ['palette.JPEG'],
        'transparency left out': ['palette.JPEG'], 'turned upright (EXIF 6)': ['upright.JPEG']}
    assert report['n_changed'] == dict.fromkeys(changed, 1)
    assert (report['n_images'], report['n_skipped'], report['classes_without_images']) == (30, 6, [])


def test_names_of_any_bytes_and_files_that_are_none(tmp_path, capsys):
    """What cannot be printed is escaped, in one line; a pipe is not waited for."""
    write_tree(tmp_path / 'raw', 2, WNIDS[:2], {'CMYK': GOOD['CMYK']}, {})
    folder = os.fsencode(tmp_path / 'raw' / WNIDS[0])
    for name, content in ((b'a\nb.JPEG', b''), (b'\xff.JPEG', b''), (b'\xfe.JPEG', encoded(photo(0)))):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content)
    os.mkfifo(os.path.join(folder, b'pipe.JPEG'))
    for k in range(2):  # when it is repeated, nothing is done
        assert run(main, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8) == 0
        captured = capsys.readouterr()
        lines = [line.strip() for line in captured.out.splitlines()]
        assert lines[0].startswith(f'train: 6 images of 2 classes in {tmp_path}/out/train_8.npy')
        assert {'1 CMYK', '3 skipped:'} < set(lines) and lines[1].startswith('2 classes, not 1000')
        assert ('train: 100%' in captured.err) == (k == 0)
        for line in ('a\\nb.JPEG: its name cannot stand in a list', 'pipe.JPEG: neither a file nor a link to one',
                     '\\udcff.JPEG: a file Pillow cannot read (it is empty)'):
            assert f'{WNIDS[0]}/{line}' in lines
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'image_list.txt', 'train_8.npy', 'train_8_labels.npy', 'train_8_report.json']
    raw = ImageNetDataset(str(tmp_path / 'out/image_list.txt'), str(tmp_path / 'raw'), 8)
    packed = PackedDataset('train_8.npy', str(tmp_path / 'out'), 8)
    np.testing.assert_array_equal(raw.load_ims(np.arange(6)), packed.load_ims(np.arange(6)))


def test_only_lists(tree, tmp_path, capsys):
    """Nothing is opened, so what cannot be read is in them too; a list of others is kept."""
    arguments = '--train', tree[0], '--out', tmp_path, '--formats', 'list'
    assert run(main, *arguments) == 0
    assert [p.name for p in tmp_path.iterdir()] == ['image_list.txt']
    assert len((tmp_path / 'image_list.txt').read_text().splitlines()) == 34
    (tmp_path / 'image_list.txt').write_text('mine')
    assert 'image_list.txt: is there and holds other images' in refused(capsys, *arguments)
    assert (tmp_path / 'image_list.txt').read_text() == 'mine'


@pytest.mark.parametrize('workers', [1, 3])
def test_the_same_whatever_the_number_of_workers(tree, prepared, tmp_path, workers, monkeypatch):
    monkeypatch.setattr(preparation, 'CHUNK', 3)
    assert run(main, *arguments_of(tree, tmp_path, workers)) == 0
    assert files_in(tmp_path) == files_in(prepared)


def test_training_from_the_packed_file(prepared, tmp_path):
    config = write_config(tmp_path, {
        'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4,
        'dataset': {'dataset_fn': 'datasets/packed.py', 'dataset_name': 'PackedDataset',
                    'args': {'path': 'train_48.npy', 'size': 8, 'n_classes': 4}}})
    assert run(train.main, '--config', config, '--data_dir', prepared, '--results_dir', tmp_path / 'out', '--gpu', -1,
               '--loader_workers', 2) == 0
    assert (tmp_path / 'out/snapshot_iter_2').exists()


def test_other_images_or_settings_are_refused(tree, prepared, tmp_path, capsys):
    before = files_in(prepared)
    assert 'train_48_report.json: is of other images or settings: resize_method: expected bicubic, found bilinear' in (
        refused(capsys, *arguments_of(tree, prepared), '--resize_method', 'bicubic'))
    write_tree(tmp_path / 'raw', 2)
    assert 'is of other images or settings: images: expected' in refused(
        capsys, *arguments_of([tmp_path / 'raw'], prepared))
    assert files_in(prepared) == before


def test_no_image_that_can_be_read(tmp_path, capsys):
    arguments = '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8
    (tmp_path / 'raw' / WNIDS[0]).mkdir(parents=True)
    assert 'raw: expected images, found none' in refused(capsys, *arguments)
    (tmp_path / 'raw' / WNIDS[0] / 'a.JPEG').write_bytes(b'')
    assert 'raw: expected images, found none that can be read' in refused(capsys, *arguments)
    assert not (tmp_path / 'out/train_8.npy').exists()


@pytest.mark.parametrize('arguments, message', [
    ((), 'expected --train or --val'), (('--train', 'nowhere'), '--train nowhere: no such folder'),
    (('--train', '.', '--size', 0), '--size: expected at least 1, found 0'),
    (('--train', '.', '--workers', 0), '--workers: expected at least 1, found 0'),
    (('--train', '.'), r'.: expected folders n########, one a class, found nothing'),
    (('--val', '.'), 'has no folders n########: expected --val_classes')])
def test_bad_arguments(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)
