"""Which class the command gives each image, of training and validation, and the boxes within it."""
import csv
import re

from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, encoded, photo, refused, report_of, turned, write_tree
from tests.narrow import run

import numpy as np
import pytest


def wnids_of_imagenet():
    """1,000 made-up classes with the dogs and cats where ImageNet has them."""
    wnids = [f'n{k:08d}' for k in range(1000)]
    wnids[151], wnids[293] = 'n02085620', 'n02130308'
    return wnids


def test_dog_and_cat_list(tree, tmp_path):
    wnids = wnids_of_imagenet()
    wnids[0], wnids[200] = WNIDS[0], WNIDS[2]
    (tmp_path / 'synsets.txt').write_text(''.join(f'{wnid} some name, other name\n' for wnid in wnids))
    assert run(main, '--train', tree[0], '--synsets', tmp_path / 'synsets.txt', '--out', tmp_path / 'out', '--size',
               8) == 0
    lines = (tmp_path / 'out/image_list.txt').read_text().splitlines()
    assert {line.split()[1] for line in lines} == {'0', '151', '200', '293'}
    chosen = (tmp_path / 'out/image_list_dog_and_cat.txt').read_text().splitlines()
    assert chosen == [line for line in lines if not line.endswith(' 0')] and len(chosen) == 18
    assert len(report_of(tmp_path / 'out', 'train_8')['classes_without_images']) == 996


def test_folders_of_dogs_and_cats_alone_keep_their_labels(tmp_path):
    wnids = ['n02085620', *(f'n02100{k:03d}' for k in range(141)), 'n02130308']
    write_tree(tmp_path / 'raw', 1, wnids, {}, {})
    assert run(main, '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--formats', 'list') == 0
    lines = (tmp_path / 'out/image_list_dog_and_cat.txt').read_text().splitlines()
    assert [int(line.split()[1]) for line in lines] == list(range(151, 294))
    assert (tmp_path / 'out/image_list.txt').read_text().splitlines() == lines


def test_folders_that_are_not_listed_are_reported(tree, tmp_path, capsys):
    (tmp_path / 'synsets.txt').write_text('\n'.join(WNIDS[:3]))
    assert run(main, '--train', tree[0], '--synsets', tmp_path / 'synsets.txt', '--out', tmp_path, '--size', 8) == 0
    assert dict(report_of(tmp_path, 'train_8')['skipped'])[WNIDS[3]] == 'a class that is not among those listed'


# Validation images and annotations

VAL = {f'ILSVRC2012_val_{k:08d}': WNIDS[c] for k, c in enumerate([2, 0, 3, 0, 1], 1)}


@pytest.fixture
def val(tmp_path):
    folder = tmp_path / 'val'
    folder.mkdir()
    for k, name in enumerate(VAL):
        (folder / f'{name}.JPEG').write_bytes(encoded(photo(k)))
    return folder


def annotation(wnid, boxes, width=500, height=375):
    objects = ''.join(f'<object><name>{wnid}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>'
                      f'<ymax>{d}</ymax></bndbox></object>' for a, b, c, d in boxes)
    return (f'<annotation><size><width>{width}</width><height>{height}</height><depth>3</depth></size>{objects}'
            '</annotation>')


def write_annotations(folder):
    folder.mkdir(parents=True)
    for name, wnid in VAL.items():
        (folder / f'{name}.xml').write_text(annotation(wnid, [(0, 0, 10, 10)]))
    return folder


def write_solution(path):
    path.write_text('ImageId,PredictionString\n' + ''.join(f'{n},{w} 1 2 3 4 \n' for n, w in reversed(VAL.items())))
    return path


def write_text(path):
    path.write_text(''.join(f'{name}.JPEG {wnid}\n' for name, wnid in VAL.items()))
    return path


def write_labels(path):
    path.write_text(''.join(f'val/{name}.JPEG {WNIDS.index(wnid)}\n' for name, wnid in VAL.items()))
    return path


@pytest.mark.parametrize('write', [write_annotations, write_solution, write_text, write_labels])
def test_validation_classes(tree, val, tmp_path, write):
    classes = write(tmp_path / ('classes.csv' if write is write_solution else 'classes'))
    out = tmp_path / 'out'
    assert run(main, '--train', tree[0], '--val', val, '--val_classes', classes, '--out', out, '--size', 8) == 0
    assert (out / 'image_list_val.txt').read_text().splitlines() == [
        f'{name}.JPEG {WNIDS.index(wnid)}' for name, wnid in VAL.items()]
    raw = ImageNetDataset(str(out / 'image_list_val.txt'), str(val), 8)
    packed = PackedDataset('val_8.npy', str(out), 8)
    np.testing.assert_array_equal(packed.load_ims(np.arange(5)), raw.load_ims(np.arange(5)))
    np.testing.assert_array_equal(packed.labels, [2, 0, 3, 0, 1])


def test_validation_in_class_folders(tree, tmp_path):
    names, _ = write_tree(tmp_path / 'val', 1, WNIDS[1:3], {}, {})
    assert run(main, '--train', tree[0], '--val', tmp_path / 'val', '--out', tmp_path, '--size', 8) == 0
    assert (tmp_path / 'image_list_val.txt').read_text() == f'{names[0]} 1\n{names[1]} 2\n'


def test_validation_image_without_a_class_is_reported(tree, val, tmp_path):
    solution = write_solution(tmp_path / 'classes.csv')
    solution.write_text(re.sub('ILSVRC2012_val_00000002,.*\n', '', solution.read_text()).replace(WNIDS[3], 'n99999999'))
    assert run(main, '--train', tree[0], '--val', val, '--val_classes', solution, '--out', tmp_path, '--size', 8) == 0
    assert dict(report_of(tmp_path, 'val_8')['skipped']) == {
        'ILSVRC2012_val_00000002.JPEG': 'no class is known of it',
        'ILSVRC2012_val_00000003.JPEG': 'of class n99999999, which is not among those listed'}


def test_boxes_are_in_pixels_of_the_squares(tree, tmp_path):
    """The photograph is 500×375: its central square begins at column 62 and is reduced 375 to 75, five times."""
    name = f'{WNIDS[1]}/{WNIDS[1]}_1.JPEG'
    write_tree(tmp_path / 'raw', 2, WNIDS[:2], {}, {})
    (tmp_path / 'raw' / name).write_bytes(encoded(photo(0, (500, 375))))
    boxes = [(112, 50, 162, 150), (0, 0, 72, 375), (0, 0, 60, 30), (100, 300, 500, 400)]
    folder = tmp_path / 'xml' / 'train' / WNIDS[1]
    folder.mkdir(parents=True)
    (folder / f'{WNIDS[1]}_1.xml').write_text(annotation(WNIDS[1], boxes))
    (folder / f'{WNIDS[1]}_11.xml').write_text('<annotation>')
    assert run(main, '--train', tmp_path / 'raw', '--annotations', tmp_path / 'xml', '--out', tmp_path / 'out',
               '--size', 75) == 0
    with open(tmp_path / 'out/train_75_boxes.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [tuple(float(row[side]) for side in ('xmin', 'ymin', 'xmax', 'ymax')) for row in rows] == [
        (10, 10, 20, 30), (0, 0, 2, 75), (7.6, 60, 75, 75)]
    assert {(row['name'], row['wnid']) for row in rows} == {(name, WNIDS[1])}
    lines = (tmp_path / 'out/image_list.txt').read_text().splitlines()
    assert {lines[int(row['row'])] for row in rows} == {f'{name} 1'}
    (change,) = report_of(tmp_path / 'out', 'train_75')['changed'].items()
    assert change[0].startswith('boxes left out: ') and change[1] == [f'{WNIDS[1]}/{WNIDS[1]}_11.JPEG']


def test_boxes_of_an_image_that_was_turned_are_left_out(tmp_path):
    """Its annotation counts in the image as it lay."""
    write_tree(tmp_path / 'raw', 1, WNIDS[:1], {}, {})
    folder = tmp_path / 'xml' / 'train' / WNIDS[0]
    folder.mkdir(parents=True)
    for orientation in (1, 6):
        (tmp_path / 'raw' / WNIDS[0] / f'{orientation}.JPEG').write_bytes(
            turned(photo(0), orientation) if orientation > 1 else encoded(photo(0)))
        (folder / f'{orientation}.xml').write_text(annotation(WNIDS[0], [(100, 100, 200, 200)]))
    assert run(main, '--train', tmp_path / 'raw', '--annotations', tmp_path / 'xml', '--out', tmp_path / 'out',
               '--size', 8) == 0
    with open(tmp_path / 'out/train_8_boxes.csv', newline='') as file:
        assert [row['name'] for row in csv.DictReader(file)] == [f'{WNIDS[0]}/1.JPEG']
    assert report_of(tmp_path / 'out', 'train_8')['changed'] == dict.fromkeys(
        ['turned upright (EXIF 6)', 'boxes left out: the image was turned, its annotation was not'],
        [f'{WNIDS[0]}/6.JPEG'])


@pytest.mark.parametrize('name, content, message', [
    ('a.csv', 'x,y\n1,2\n', "a.csv: expected Kaggle's LOC_val_solution.csv"),
    ('a.csv', 'ImageId,PredictionString\nx,\n', 'a.csv: expected Kaggle'),
    ('a.txt', 'a.JPEG n01440764\nb.JPEG dog\n', "a.txt:2: expected 'name class', a wnid or a label, found 'b.JPEG d"),
    ('a.txt', '', 'a.txt: expected the classes of validation images, found none'),
])
def test_bad_validation_classes(tree, val, tmp_path, capsys, name, content, message):
    classes = tmp_path / name
    classes.write_text(content)
    assert message in refused(capsys, '--train', tree[0], '--val', val, '--val_classes', classes, '--out', tmp_path)


@pytest.mark.parametrize('content', ['', 'x', 'n01440764\nn01440764\n', 'tench n01440764\n'])
def test_bad_synsets(tree, tmp_path, capsys, content):
    (tmp_path / 'synsets.txt').write_text(content)
    assert 'synsets.txt: expected a class a line' in refused(
        capsys, '--train', tree[0], '--synsets', tmp_path / 'synsets.txt', '--out', tmp_path)
