"""The command on a small ImageNet of real encodings; the oracle of its pixels is the dataset that reads raw files."""
import csv
import os

import train
from source.datasets import annotations
from source.datasets.annotations import read_annotation
from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from source.datasets.prepared_images import png_name
from tests.datasets.imagenet_tree import (
    GOOD,
    WNIDS,
    arguments_of,
    encoded,
    photo,
    refused,
    report_of,
    turned,
    write_tree,
)
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest


def prepare(*arguments):
    assert run(main, *arguments) == 0


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
    # Of names that differ in their endings alone
    assert [png_name(f'n1/{name}') for name in ('a.JPEG', 'a.PNG', 'a.jpeg', 'a.png', 'a.png.JPEG', 'a.b.JPEG')] == [
        'n1/a.png', 'n1/a.PNG.png', 'n1/a.jpeg.png', 'n1/a.png.png', 'n1/a.png.JPEG.png', 'n1/a.b.png']


def test_training_from_the_packed_file(prepared, tmp_path):
    dataset = {'dataset_fn': 'datasets/packed.py', 'dataset_name': 'PackedDataset',
               'args': {'path': 'train_48.npy', 'size': 8, 'n_classes': 4}}
    config = write_config(tmp_path, {'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4,
                                     'dataset': dataset})
    assert run(train.main, '--config', config, '--data_dir', prepared, '--results_dir', tmp_path / 'out', '--gpu', -1,
               '--loader_workers', 2) == 0
    assert (tmp_path / 'out/snapshot_iter_2').exists()


def test_report_names_every_file(tree, prepared):
    report, lies = report_of(prepared), f'{WNIDS[0]}/{WNIDS[0]}_'
    skipped = dict(report['skipped'])
    reasons = {f'{lies}truncated.JPEG': 'truncated', f'{lies}empty.JPEG': 'it is empty',
               f'{lies}text.JPEG': 'none of JPEG', f'{lies}float.JPEG': '32-bit',
               f'{WNIDS[1]}/Thumbs.db': 'its name ends in .db', 'readme.txt': 'not the folder of a class'}
    assert set(skipped) == set(reasons)
    assert all(reason in skipped[name] and str(tree[0]) not in skipped[name] for name, reason in reasons.items())
    assert report['changed'] == {change: [f'{lies}{name}.JPEG'] for change, name in (
        ('16-bit grey', '16-bit-grey'), ('CMYK', 'CMYK'), ('grey', 'grey'), ('palette', 'palette'),
        ('transparency left out', 'palette'), ('turned upright (EXIF 6)', 'upright'),
        ('smaller than the squares, and enlarged', 'small'))}
    assert report['n_changed'] == dict.fromkeys(report['changed'], 1)
    assert (report['n_images'], report['n_skipped'], report['classes_without_images']) == (30, 6, [])


def test_names_of_any_bytes_and_files_that_are_none(tmp_path, capsys):
    """What cannot be printed is escaped, in one line; a pipe is not waited for."""
    write_tree(tmp_path / 'raw', 2, WNIDS[:2], {'CMYK': GOOD['CMYK']}, {})
    folder = os.fsencode(tmp_path / 'raw' / WNIDS[0])
    for name, content in ((b'a\nb.JPEG', b''), (b'\xff.JPEG', b''), (b'\xfe.JPEG', encoded(photo(0)))):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content)
    os.mkfifo(os.path.join(folder, b'pipe.JPEG'))
    for _ in range(2):  # when it is repeated, nothing is done
        prepare('--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8)
        captured = capsys.readouterr()
        lines = [line.strip() for line in captured.out.splitlines()]
        assert lines[0].startswith(f'train: 6 images of 2 classes in {tmp_path}/out/train_8.npy')
        assert {'1 CMYK', '3 skipped:'} < set(lines) and lines[1].startswith('2 classes, not 1000')
        for line in ('a\\nb.JPEG: its name cannot stand in a list', 'pipe.JPEG: neither a file nor a link to one',
                     '\\udcff.JPEG: a file Pillow cannot read (it is empty)'):
            assert f'{WNIDS[0]}/{line}' in lines
    assert sorted(files_in(tmp_path / 'out')) == [
        'image_list.txt', 'train_8.npy', 'train_8_labels.npy', 'train_8_report.json']
    raw = ImageNetDataset(str(tmp_path / 'out/image_list.txt'), str(tmp_path / 'raw'), 8)
    packed = PackedDataset('train_8.npy', str(tmp_path / 'out'), 8)
    np.testing.assert_array_equal(raw.load_ims(np.arange(6)), packed.load_ims(np.arange(6)))


def test_only_lists(tree, tmp_path, capsys):
    """Nothing is opened, so what cannot be read is in them too; a list of others is kept."""
    arguments = '--train', tree[0], '--out', tmp_path, '--formats', 'list'
    prepare(*arguments)
    (content,) = files_in(tmp_path).values()
    assert len(content.splitlines()) == 34
    (tmp_path / 'image_list.txt').write_text('mine')
    assert 'image_list.txt: is there and holds other images' in refused(capsys, *arguments)
    assert files_in(tmp_path) == {'image_list.txt': b'mine'}


def test_other_images_or_settings_are_refused(tree, prepared, tmp_path, capsys):
    before = files_in(prepared)
    assert 'train_48_report.json: is of other images or settings: resize_method: expected bicubic, found bilinear' in (
        refused(capsys, *arguments_of(tree, prepared), '--resize_method', 'bicubic'))
    write_tree(tmp_path / 'raw', 2)
    assert 'is of other images or settings: images: expected' in refused(
        capsys, *arguments_of([tmp_path / 'raw'], prepared))
    assert files_in(prepared) == before


@pytest.mark.parametrize('arguments, message', [
    ((), 'expected --train or --val'), (('--train', 'nowhere'), '--train nowhere: no such folder'),
    (('--train', '.', '--size', 0), '--size: expected at least 1, found 0'),
    (('--train', '.', '--workers', 0), '--workers: expected at least 1, found 0'),
    (('--train', 'empty'), 'empty: expected folders n########, one a class, found nothing'),
    (('--train', '.'), '.: expected images, found none'),
    (('--train', 'bad', '--size', 8), 'bad: expected images, found none that can be read'),
    (('--val', 'empty'), 'has no folders n########: expected --val_classes')])
def test_bad_arguments(arguments, message, tmp_path, monkeypatch, capsys):
    for folder in (WNIDS[0], 'empty', f'bad/{WNIDS[0]}'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / f'bad/{WNIDS[0]}/a.JPEG').touch()
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)
    assert not (tmp_path / 'datasets/train_8.npy').exists()


# Which class the command gives each image, and the boxes within it

VAL = {f'ILSVRC2012_val_{k:08d}': WNIDS[c] for k, c in enumerate([2, 0, 3, 0, 1], 1)}


@pytest.fixture
def val(tmp_path):
    (tmp_path / 'val').mkdir()
    for k, name in enumerate(VAL):
        (tmp_path / 'val' / f'{name}.JPEG').write_bytes(encoded(photo(k)))
    return tmp_path / 'val'


def lines_of(path):
    return path.read_text().splitlines()


def test_classes_of_a_list_and_the_dogs_and_cats_among_them(tree, tmp_path):
    """1,000 made-up classes with the first dog and the last cat where ImageNet has them, and one folder's at 0."""
    wnids = [f'n{k:08d}' for k in range(1000)]
    wnids[0], wnids[151], wnids[293] = WNIDS[0], WNIDS[1], WNIDS[3]
    (tmp_path / 'synsets.txt').write_text(''.join(f'{wnid} some name, other name\n' for wnid in wnids))
    prepare('--train', tree[0], '--synsets', tmp_path / 'synsets.txt', '--out', tmp_path, '--size', 8)
    lines = lines_of(tmp_path / 'image_list.txt')
    assert {line.split()[1] for line in lines} == {'0', '151', '293'}
    chosen = lines_of(tmp_path / 'image_list_dog_and_cat.txt')
    assert chosen == [line for line in lines if not line.endswith(' 0')] and len(chosen) == 12
    report = report_of(tmp_path, 'train_8')
    assert len(report['classes_without_images']) == 997
    assert dict(report['skipped'])[WNIDS[2]] == 'a class that is not among those listed'


def test_folders_of_dogs_and_cats_alone_keep_their_labels(tmp_path):
    for wnid in ('n02085620', *(f'n02100{k:03d}' for k in range(141)), 'n02130308'):
        (tmp_path / 'raw' / wnid).mkdir(parents=True)
        (tmp_path / 'raw' / wnid / 'a.JPEG').touch()
    prepare('--train', tmp_path / 'raw', '--out', tmp_path, '--formats', 'list')
    lines = lines_of(tmp_path / 'image_list_dog_and_cat.txt')
    assert [int(line.split()[1]) for line in lines] == list(range(151, 294))
    assert lines_of(tmp_path / 'image_list.txt') == lines


def write_annotation(path, wnid, boxes=((0, 0, 10, 10),)):
    """Of an image of 500×375 pixels."""
    objects = ''.join(f'<object><name>{wnid}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>'
                      f'<ymax>{d}</ymax></bndbox></object>' for a, b, c, d in boxes)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<annotation><size><width>500</width><height>375</height></size>{objects}</annotation>')


def test_validation_classes_of_annotations(tree, val, tmp_path):
    """Other forms are in test_text_files.py."""
    for name, wnid in VAL.items():
        write_annotation(tmp_path / f'xml/{name}.xml', wnid)
    prepare('--train', tree[0], '--val', val, '--val_classes', tmp_path / 'xml', '--out', tmp_path, '--size', 8)
    assert lines_of(tmp_path / 'image_list_val.txt') == [
        f'{name}.JPEG {WNIDS.index(wnid)}' for name, wnid in VAL.items()]
    assert PackedDataset('val_8.npy', str(tmp_path), 8).labels.tolist() == [2, 0, 3, 0, 1]


def test_validation_in_class_folders(tree, tmp_path):
    names, _ = write_tree(tmp_path / 'val', 1, WNIDS[1:3], {}, {})
    prepare('--train', tree[0], '--val', tmp_path / 'val', '--out', tmp_path, '--formats', 'list')
    assert lines_of(tmp_path / 'image_list_val.txt') == [f'{names[0]} 1', f'{names[1]} 2']


def test_validation_image_without_a_class_is_reported(val, tmp_path):
    (tmp_path / 'synsets.txt').write_text('\n'.join(WNIDS[:3]))
    classes = zip(VAL, ['2', WNIDS[0], WNIDS[3], '3'], strict=False)
    (tmp_path / 'classes.txt').write_text(''.join(f'val/{name}.JPEG {its_class}\n' for name, its_class in classes))
    prepare('--synsets', tmp_path / 'synsets.txt', '--val', val, '--val_classes', tmp_path / 'classes.txt', '--out',
            tmp_path, '--size', 8)
    assert dict(report_of(tmp_path, 'val_8')['skipped']) == {
        'ILSVRC2012_val_00000005.JPEG': 'no class is known of it',
        'ILSVRC2012_val_00000003.JPEG': f'of class {WNIDS[3]}, which is not among those listed',
        'ILSVRC2012_val_00000004.JPEG': 'of class 3, which is not among those listed'}
    assert lines_of(tmp_path / 'image_list_val.txt') == [
        'ILSVRC2012_val_00000001.JPEG 2', 'ILSVRC2012_val_00000002.JPEG 0']


def test_boxes_are_in_pixels_of_the_squares(tmp_path):
    """The photograph is 500×375: its central square begins at column 62 and is reduced 375 to 75, five times.

    The annotation of an image that was turned counts in it as it lay: its boxes are left out.
    """
    names, _ = write_tree(tmp_path / 'raw', 2, WNIDS[:2], {}, {})
    name, damaged, lying = names[2], names[3], f'{WNIDS[0]}/turned.JPEG'
    (tmp_path / 'raw' / name).write_bytes(encoded(photo(0, (500, 375))))
    (tmp_path / 'raw' / lying).write_bytes(turned(photo(0), 6))
    boxes = [(112, 50, 162, 150), (0, 0, 72, 375), (0, 0, 60, 30), (100, 300, 500, 400)]
    for annotated in (name, damaged, lying):
        write_annotation((tmp_path / 'xml/train' / annotated).with_suffix('.xml'), annotated[:9], boxes)
    (tmp_path / 'xml/train' / damaged).with_suffix('.xml').write_text('<annotation>')
    prepare('--train', tmp_path / 'raw', '--annotations', tmp_path / 'xml', '--out', tmp_path, '--size', 75)
    rows = list(csv.DictReader(lines_of(tmp_path / 'train_75_boxes.csv')))
    assert [tuple(float(row[side]) for side in ('xmin', 'ymin', 'xmax', 'ymax')) for row in rows] == [
        (10, 10, 20, 30), (0, 0, 2, 75), (7.6, 60, 75, 75)]
    assert {(row['name'], row['wnid']) for row in rows} == {(name, WNIDS[1])}
    lines = lines_of(tmp_path / 'image_list.txt')
    assert {lines[int(row['row'])] for row in rows} == {f'{name} 1'}
    changed = report_of(tmp_path, 'train_75')['changed']
    (left_out,) = (change for change, names in changed.items() if names == [damaged])
    assert left_out.startswith('boxes left out: ')
    assert changed == {left_out: [damaged], 'turned upright (EXIF 6)': [lying],
                       'boxes left out: the image was turned, its annotation was not': [lying]}


@pytest.mark.parametrize('option, name, content, message', [
    ('--val_classes', 'a.csv', 'x,y\n1,2\n', "a.csv: expected Kaggle's LOC_val_solution.csv"),
    ('--val_classes', 'a.csv', 'ImageId,PredictionString\nx,\n', 'a.csv: expected Kaggle'),
    ('--val_classes', 'a.txt', 'a.JPEG n01440764\nb.JPEG dog\n',
     "a.txt:2: expected 'name class', a wnid or a label, found 'b.JPEG d"),
    ('--val_classes', 'a.txt', '', 'a.txt: expected the classes of validation images, found none'),
    *(('--synsets', 'synsets.txt', content, 'synsets.txt: expected a class a line')
      for content in ('', 'x', 'n01440764\nn01440764\n', 'tench n01440764\n'))], ids=range(8))
def test_bad_files_of_classes(tree, val, tmp_path, capsys, option, name, content, message):
    (tmp_path / name).write_text(content)
    assert message in refused(capsys, '--train', tree[0], '--val', val, option, tmp_path / name, '--out', tmp_path)


@pytest.mark.parametrize('old, new, reason', [
    ('<annotation>', '<!DOCTYPE a [<!ENTITY b "n00000002">]><annotation>', 'a document type'),
    ('<annotation>', '<!DOCTYPE annotation SYSTEM "a.dtd"><annotation>', 'a document type'),
    ('</annotation>', '</annotation>' + ' ' * 1000, '1190 bytes'), ('>5<', '>nan<', 'a box that is nowhere'),
    ('>5<', '><', 'no bndbox/xmax'), ('>500<', '>9.5<', 'invalid literal'), ('<name>', '<other>', 'mismatched tag')])
def test_bad_annotations(tmp_path, monkeypatch, old, new, reason):
    monkeypatch.setattr(annotations, 'MOST_BYTES', 1000)
    write_annotation(tmp_path / 'a.xml', WNIDS[0], [(1, 2, 5, 6.5)])
    (tmp_path / 'a.xml').write_text((tmp_path / 'a.xml').read_text().replace(old, new))
    with pytest.raises(ValueError, match=rf'^{tmp_path}/a.xml: expected an annotation in XML.*{reason}[^\n]*$'):
        read_annotation(tmp_path / 'a.xml')
