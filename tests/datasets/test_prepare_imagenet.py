"""The command on a small ImageNet of real encodings; the oracle of its pixels is the dataset that reads raw files."""
import csv
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time

import train
from source.datasets import preparation
from source.datasets.imagenet import ImageNetDataset
from source.datasets.packed import PackedDataset
from source.datasets.prepare_imagenet import main
from source.miscs.lock import claimed
from tests.datasets.imagenet_tree import WNIDS, encoded, photo, write_tree
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """(folder of the raw images, the names that can be read, those that cannot)."""
    root = tmp_path_factory.mktemp('ILSVRC2012') / 'train'
    names, unreadable = write_tree(root)
    (root / WNIDS[1] / 'Thumbs.db').write_bytes(b'\0')
    (root / 'readme.txt').write_text('x')
    return root, names, unreadable


@pytest.fixture(scope='module')
def prepared(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    assert run(main, *arguments_of(tree, out, 2)) == 0
    return out


def arguments_of(tree, out, workers=1):
    return ['--train', tree[0], '--out', out, '--size', 48, '--workers', workers, '--formats', 'packed', 'folder']


def report_of(out, name='train_48'):
    return json.loads((out / f'{name}_report.json').read_text())


def refused(capsys, *arguments):
    capsys.readouterr()
    assert run(main, *arguments) == 2
    captured = capsys.readouterr()
    error = captured.err.splitlines()[-1]
    assert error.startswith('command: error: ') and captured.out == ''
    return error


# Pixels and lists

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


# Classes

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


# Interrupted, repeated, refused

def test_repeated_it_leaves_everything(tree, prepared, capsys):
    before = files_in(prepared)
    times = {p: p.stat().st_mtime_ns for p in prepared.glob('train*')}
    assert run(main, '--train', tree[0], '--out', prepared, '--size', 48, '--formats', 'packed', 'folder') == 0
    assert '30 images of 4 classes' in capsys.readouterr().out
    assert files_in(prepared) == before
    assert {p: p.stat().st_mtime_ns for p in prepared.glob('train*')} == times


COMMAND = '''
import sys
from unittest import mock
from source.datasets import preparation
from source.datasets.prepare_imagenet import main
preparation.CHUNK, preparation.SYNC_EVERY = 2, 4
print('ready', flush=True)
main()
'''


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tree, prepared, tmp_path):
    """SIGKILL at random moments, till it is through; then every file is what one run makes."""
    rng, kills, code = np.random.default_rng(0), 0, None
    while code != 0 and kills < 40:
        with subprocess.Popen([sys.executable, '-c', COMMAND, *map(str, arguments_of(tree, tmp_path, 2))], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout.readline() == 'ready\n'
            try:
                process.wait(rng.uniform(0., .04 * (kills + 1)))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        code = process.returncode
    assert code == 0 and kills > 2
    assert files_in(tmp_path) == files_in(prepared)


class Killed(BaseException):
    pass


def runs_with_a_stop(arguments, folder, patches, step):
    """Runs the command again and again in a folder of its own, stopped at the k-th rename or sync, k growing by `step`;
    then once more to its end. Yields these folders till one run was not stopped.
    """
    k, stopped = 0, True
    while stopped:
        out, n, stopped = folder / str(k), itertools.count(), False

        def stopping(function, k=k, n=n):
            def wrapped(*args):
                if next(n) >= k:
                    raise Killed
                return function(*args)
            return wrapped
        with patches.context() as patch:
            for name in ('replace', 'rename', 'fsync'):
                patch.setattr(os, name, stopping(getattr(os, name)))
            try:
                run(main, *arguments, '--out', out)
            except Killed:
                stopped = True
        assert run(main, *arguments, '--out', out) == 0
        yield out
        k += step


@pytest.mark.parametrize('step, formats, least', [(1, ['packed'], 20), (7, ['packed', 'folder'], 7)])
def test_stopped_at_every_write_it_goes_on(tree, prepared, tmp_path, monkeypatch, step, formats, least):
    monkeypatch.setattr(preparation, 'CHUNK', 5)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 15)
    arguments = ['--train', tree[0], '--size', 48, '--workers', 1, '--formats', *formats]
    expected = {name: content for name, content in files_in(prepared).items() if 'folder' in formats or '/' not in name}
    del expected['train_48_report.json']
    n = 0
    for out in runs_with_a_stop(arguments, tmp_path, monkeypatch, step):
        found = files_in(out)
        report, n = json.loads(found.pop('train_48_report.json')), n + 1
        assert found == expected
        assert {**report, 'made_of': None} == {**report_of(prepared), 'made_of': None}
    assert n > least


def test_interrupted_by_the_user(tree, tmp_path):
    arguments = ['--train', tree[0], '--out', tmp_path, '--size', 400, '--workers', 1]
    process = subprocess.Popen([sys.executable, '-c', COMMAND + 'raise SystemExit(99)', *map(str, arguments)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / 'train_400.part/journal.jsonl').exists() and process.poll() is None:
        time.sleep(.002)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    if process.returncode == 130:
        assert error.splitlines()[-1] == 'interrupted; run the same command again to go on'
        assert 'Traceback' not in error
    else:
        assert process.returncode == 99  # it was through before the signal came


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


def test_a_full_disk_is_told_before(tree, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(preparation.shutil, 'disk_usage', lambda path: type('', (), {'free': 10 ** 5}))
    assert 'expected room for 0.0 GB of images, found 0.0 GB free' in refused(
        capsys, '--train', tree[0], '--out', tmp_path, '--size', 64)


def test_a_disk_that_fills_up(tree, prepared, tmp_path):
    """One line that names the file; with room again the same command goes on to the same bytes."""
    limit = 'import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))'
    arguments = list(map(str, arguments_of(tree, tmp_path)))
    process = subprocess.run([sys.executable, '-c', limit + COMMAND, *arguments], capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].endswith(f"File too large: '{tmp_path}/train_48.part/images.npy'")
    assert 'Traceback' not in process.stderr and [p.name for p in tmp_path.iterdir()] == ['train_48.part']
    assert run(main, *arguments) == 0
    assert files_in(tmp_path) == files_in(prepared)


def test_only_one_at_a_time(tree, tmp_path, capsys):
    (tmp_path / 'train_8.part').mkdir()
    with claimed(tmp_path / 'train_8.part', ''):
        assert 'train_8.part: another process is at work in it' in refused(
            capsys, '--train', tree[0], '--out', tmp_path, '--size', 8)


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


def test_help_and_its_example(capsys):
    assert run(main, '--help') == 0
    text = capsys.readouterr().out
    for option in re.findall(r'--\w+', text.partition('usage:')[2].partition('\n\n')[0]):
        assert text.count(option) > 1, option
    assert 'python source/datasets/prepare_imagenet.py --train' in text
