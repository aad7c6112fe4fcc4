"""Which class the command gives each image, of training and validation, and the boxes within it."""
import csv

from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, encoded, photo, refused, report_of, turned, write_tree
from tests.narrow import run

import numpy as np
import pytest


def test_classes_of_a_list_and_the_dogs_and_cats_among_them(tree, tmp_path):
    """1,000 made-up classes with the first dog and the last cat where ImageNet has them, and one folder's at 0."""
    wnids = [f'n{k:08d}' for k in range(1000)]
    wnids[0], wnids[151], wnids[293] = WNIDS[0], WNIDS[1], WNIDS[3]
    (tmp_path / 'synsets.txt').write_text(''.join(f'{wnid} some name, other name\n' for wnid in wnids))
    assert run(main, '--train', tree[0], '--synsets', tmp_path / 'synsets.txt', '--out', tmp_path, '--size', 8) == 0
    lines = (tmp_path / 'image_list.txt').read_text().splitlines()
    assert {line.split()[1] for line in lines} == {'0', '151', '293'}
    chosen = (tmp_path / 'image_list_dog_and_cat.txt').read_text().splitlines()
    assert chosen == [line for line in lines if not line.endswith(' 0')] and len(chosen) == 12
    report = report_of(tmp_path, 'train_8')
    assert len(report['classes_without_images']) == 997
    assert dict(report['skipped'])[WNIDS[2]] == 'a class that is not among those listed'


def test_folders_of_dogs_and_cats_alone_keep_their_labels(tmp_path):
    for wnid in ('n02085620', *(f'n02100{k:03d}' for k in range(141)), 'n02130308'):
        (tmp_path / 'raw' / wnid).mkdir(parents=True)
        (tmp_path / 'raw' / wnid / 'a.JPEG').touch()
    assert run(main, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--formats', 'list') == 0
    lines = (tmp_path / 'out/image_list_dog_and_cat.txt').read_text().splitlines()
    assert [int(line.split()[1]) for line in lines] == list(range(151, 294))
    assert (tmp_path / 'out/image_list.txt').read_text().splitlines() == lines


# Validation images and annotations

VAL = {f'ILSVRC2012_val_{k:08d}': WNIDS[c] for k, c in enumerate([2, 0, 3, 0, 1], 1)}


@pytest.fixture
def val(tmp_path):
    (tmp_path / 'val').mkdir()
    for k, name in enumerate(VAL):
        (tmp_path / 'val' / f'{name}.JPEG').write_bytes(encoded(photo(k)))
    return tmp_path / 'val'


def write_annotation(path, wnid, boxes):
    """Of an image of 500×375 pixels."""
    objects = ''.join(f'<object><name>{wnid}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>'
                      f'<ymax>{d}</ymax></bndbox></object>' for a, b, c, d in boxes)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<annotation><size><width>500</width><height>375</height></size>{objects}</annotation>')


def test_validation_classes_of_annotations(tree, val, tmp_path):
    """Other forms are in test_text_files.py."""
    for name, wnid in VAL.items():
        write_annotation(tmp_path / f'xml/{name}.xml', wnid, [(0, 0, 10, 10)])
    assert run(main, '--train', tree[0], '--val', val, '--val_classes', tmp_path / 'xml', '--out', tmp_path, '--size',
               8) == 0
    assert (tmp_path / 'image_list_val.txt').read_text().splitlines() == [
        f'{name}.JPEG {WNIDS.index(wnid)}' for name, wnid in VAL.items()]
    raw = ImageNetDataset(str(tmp_path / 'image_list_val.txt'), str(val), 8)
    packed = PackedDataset('val_8.npy', str(tmp_path), 8)
    np.testing.assert_array_equal(packed.load_ims(np.arange(5)), raw.load_ims(np.arange(5)))
    np.testing.assert_array_equal(packed.labels, [2, 0, 3, 0, 1])


def test_validation_in_class_folders(tree, tmp_path):
    names, _ = write_tree(tmp_path / 'val', 1, WNIDS[1:3], {}, {})
    assert run(main, '--train', tree[0], '--val', tmp_path / 'val', '--out', tmp_path, '--formats', 'list') == 0
    assert (tmp_path / 'image_list_val.txt').read_text() == f'{names[0]} 1\n{names[1]} 2\n'


def test_validation_image_without_a_class_is_reported(val, tmp_path):
    (tmp_path / 'synsets.txt').write_text('\n'.join(WNIDS[:3]))
    classes = zip(VAL, ['2', WNIDS[0], WNIDS[3], '3'], strict=False)
    (tmp_path / 'classes.txt').write_text(''.join(f'val/{name}.JPEG {its_class}\n' for name, its_class in classes))
    assert run(main, '--synsets', tmp_path / 'synsets.txt', '--val', val, '--val_classes', tmp_path / 'classes.txt',
               '--out', tmp_path, '--size', 8) == 0
    assert dict(report_of(tmp_path, 'val_8')['skipped']) == {
        'ILSVRC2012_val_00000005.JPEG': 'no class is known of it',
        'ILSVRC2012_val_00000003.JPEG': f'of class {WNIDS[3]}, which is not among those listed',
        'ILSVRC2012_val_00000004.JPEG': 'of class 3, which is not among those listed'}
    assert (tmp_path / 'image_list_val.txt').read_text() == (
        'ILSVRC2012_val_00000001.JPEG 2\nILSVRC2012_val_00000002.JPEG 0\n')


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
    assert run(main, '--train', tmp_path / 'raw', '--annotations', tmp_path / 'xml', '--out', tmp_path / 'out',
               '--size', 75) == 0
    with open(tmp_path / 'out/train_75_boxes.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [tuple(float(row[side]) for side in ('xmin', 'ymin', 'xmax', 'ymax')) for row in rows] == [
        (10, 10, 20, 30), (0, 0, 2, 75), (7.6, 60, 75, 75)]
    assert {(row['name'], row['wnid']) for row in rows} == {(name, WNIDS[1])}
    lines = (tmp_path / 'out/image_list.txt').read_text().splitlines()
    assert {lines[int(row['row'])] for row in rows} == {f'{name} 1'}
    changed = report_of(tmp_path / 'out', 'train_75')['changed']
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
