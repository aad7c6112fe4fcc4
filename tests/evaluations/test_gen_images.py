import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from evaluations import gen_images
from source.build import build_models
from source.datasets.image_files import open_images
from source.miscs.generate import generate_batches, generate_ims
from source.miscs.image_sheets import make_sheet
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import load_model, save_snapshot
from source.miscs.standing_statistics import restate_statistics
from source.yaml_utils import load_config
from tests.narrow import UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent.parent


def write_snapshots(folder, changes=None):
    path = write_config(folder, changes, 'config.yml')
    np.random.seed(0)
    gen, dis = build_models(load_config(path), str(path))
    for name, parameter in gen.namedparams():  # so that the classes differ, which at first they do not
        if 'gammas' in name or 'betas' in name:
            parameter.array[...] += np.random.normal(size=parameter.shape)
    for _ in range(30):  # so that the averaged batch statistics leave their initial zeros
        gen(20)
    save_snapshot(folder / 'ResNetGenerator_2.npz', gen)
    save_snapshot(folder / 'SNResNetProjectionDiscriminator_2.npz', dis)
    return folder / 'ResNetGenerator_2.npz'


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshots(tmp_path_factory.mktemp('results'))


def generator(snapshot):
    config = load_config(snapshot.parent / 'config.yml')
    np.random.seed(1)
    gen, _ = build_models(config, 'config')
    load_model(snapshot, gen)
    return gen


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize('rows, columns', [(2, 3), (3, 1)])
def test_a_sheet_per_class(snapshot, tmp_path, rows, columns, capsys):
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--rows', rows, '--columns', columns,
               '--classes', 7, 3, '--seed', 5, '--results_dir', tmp_path) == 0
    assert set(files_in(tmp_path)) == {'3.png', '7.png'}
    gen, sampler = generator(snapshot), NoiseSampler(3, 10, seed=5)
    for c in (7, 3):
        ims, _ = generate_ims(gen, rows * columns, sampler, np.full(rows * columns, c))
        np.testing.assert_array_equal(read(tmp_path / f'{c}.png'), make_sheet(ims, rows, columns))
    assert f'2 sheets of {rows}x{columns} images in {tmp_path}/' in capsys.readouterr().out


def test_defaults(snapshot):
    """All classes, five by five, beside the snapshot."""
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1) == 0
    folder = snapshot.parent / 'gen_images'
    assert set(files_in(folder)) == {f'{c}.png' for c in range(10)}
    assert {read(path).shape for path in folder.iterdir()} == {(5 * 8, 5 * 8, 3)}


def test_scale(snapshot, tmp_path):
    for scale in (1, 3):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', 1, '--scale', scale,
                   '--results_dir', tmp_path / str(scale)) == 0
    small, large = (read(tmp_path / scale / '1.png') for scale in ('1', '3'))
    np.testing.assert_array_equal(large, small.repeat(3, axis=0).repeat(3, axis=1))


def test_seed(snapshot, tmp_path):
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', 1, '--seed', seed,
                   '--results_dir', tmp_path / name) == 0
    a, b, c = (read(tmp_path / name / '1.png') for name in 'abc')
    np.testing.assert_array_equal(a, b)
    assert (a != c).mean() > .5


def test_unconditional(tmp_path):
    snapshot = write_snapshots(tmp_path, UNCONDITIONAL)
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--rows', 2, '--columns', 3) == 0
    assert set(files_in(tmp_path / 'gen_images')) == {'samples.png'}
    assert read(tmp_path / 'gen_images' / 'samples.png').shape == (16, 24, 3)
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', 0) == 2


def test_config_given(snapshot, tmp_path):
    """A snapshot without its results folder, as the authors publish them."""
    (tmp_path / 'alone.npz').write_bytes(snapshot.read_bytes())
    assert run(gen_images.main, '--snapshot', tmp_path / 'alone.npz', '--config', write_config(tmp_path), '--gpu', -1,
               '--classes', 1) == 0
    assert (tmp_path / 'gen_images' / '1.png').exists()


@pytest.mark.parametrize('arguments, expected', [
    (['--classes', 10], '--classes 10: the snapshot knows classes 0 to 9'),
    (['--classes', 3, -1], '--classes -1: the snapshot knows classes 0 to 9'),
    (['--rows', 0], '--rows: expected at least 1, found 0'), (['--columns', -2], '--columns: expected at least 1'),
    (['--n', 0], '--n: expected at least 1'), (['--truncation', 0], '--truncation: expected a number above 0'),
    (['--classes', 3, 'Three'], '--classes: expected each once, found 3, Three'),
    (['--standing', -1], '--standing: expected at least 0 batches'),
    (['--scale', 0], '--scale: expected at least 1'), (['--seed', -1], '--seed: expected 0 to 4294967295, found -1'),
    (['--gpu', 99], '--gpu 99: expected -1 (CPU) or the index of a GPU'),
    (['--snapshot', 'none.npz'], 'none.npz: no such snapshot'),
    (['--snapshot', '{folder}'], '{folder}: expected a file as <class name>_<iteration>.npz, found a folder'),
    (['--config', 'none.yml'], 'none.yml: no such config; give the one of'),
    (['--results_dir', '{file}'], '{file}: expected a folder to write to'),
    (['--snapshot', '{file}'], '{file}: not a complete .npz snapshot'),
    (['--snapshot', '{dis}'], '{dis}: ResNetGenerator needs b5/N (), which the file does not hold'),
    (['--config', '{wider}'], 'b5/avg_mean has shape (4,), but ResNetGenerator has (6,) there')])
def test_refused(snapshot, tmp_path, capsys, arguments, expected):
    names = {'file': tmp_path / 'file', 'folder': snapshot.parent,
             'dis': snapshot.parent / 'SNResNetProjectionDiscriminator_2.npz',
             'wider': write_config(tmp_path, {'models.generator.args.ch': 6})}
    names['file'].write_text('mine')
    arguments = [str(argument).format(**names) for argument in arguments]
    before = files_in(tmp_path), files_in(snapshot.parent)
    assert run(gen_images.main, '--snapshot', snapshot, '--config', snapshot.parent / 'config.yml', '--gpu', -1,
               '--results_dir', tmp_path / 'out', *arguments) == 2
    assert (files_in(tmp_path), files_in(snapshot.parent)) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.count('\n') == 1
    assert captured.err.startswith('command: error: ')
    assert expected.format(**names) in captured.err


def test_command_from_another_folder(snapshot, tmp_path):
    process = subprocess.run(
        [sys.executable, ROOT / 'evaluations' / 'gen_images.py', '--snapshot', snapshot, '--gpu', '-1',
         '--classes', '1', '--results_dir', 'out'], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert process.returncode == 0, process.stderr
    assert process.stderr == ''
    assert (tmp_path / 'out' / '1.png').exists()


def test_classes_by_name(snapshot, tmp_path, capsys):
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(f'n0000000{c} number {c}, no. {c}' for c in range(10)))
    for folder, classes in (('numbers', [7, 3]), ('names', ['Seven', 'three'])):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', *classes,
                   '--results_dir', tmp_path / folder) == 0
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', 'no. 7', 'n00000003',
               '--class_names', names, '--results_dir', tmp_path / 'own') == 0
    assert files_in(tmp_path / 'numbers') == files_in(tmp_path / 'names') == files_in(tmp_path / 'own')
    capsys.readouterr()
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--classes', 'sevn') == 2
    assert "--classes sevn: no such class; did you mean 'seven'?" in capsys.readouterr().err
    names.write_text('one\ntwo\n')
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--class_names', names) == 2
    assert f'{names}: expected 10 class names, one a line; found 2' in capsys.readouterr().err


def test_single_images_are_those_that_are_scored(snapshot, tmp_path):
    """As files and as .npz the images and labels that the scoring commands make with this seed."""
    expected, y = generate_ims(generator(snapshot), 203, NoiseSampler(3, 10, seed=1234))
    for npz in ([], ['--npz']):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 203, '--results_dir', tmp_path,
                   *npz) == 0
    with np.load(tmp_path / 'samples.npz') as npz:
        np.testing.assert_array_equal(npz['ims'], expected)
        np.testing.assert_array_equal(npz['labels'], y)
    array, folder = open_images(tmp_path / 'samples.npz'), open_images(tmp_path / 'images')
    np.testing.assert_array_equal(array.ims, expected)
    order = np.lexsort((np.arange(203), [str(c) for c in y]))
    np.testing.assert_array_equal(folder.load_ims(range(203)), expected[order])
    np.testing.assert_array_equal(folder.labels, y[order])


def test_single_images_of_classes_in_turn(snapshot, tmp_path):
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 5, '--classes', 'two', 9, '--npz',
               '--results_dir', tmp_path) == 0
    with np.load(tmp_path / 'samples.npz') as npz:
        assert npz['labels'].tolist() == [2, 9, 2, 9, 2]
        np.testing.assert_array_equal(npz['ims'], generate_ims(
            generator(snapshot), 5, NoiseSampler(3, 10, seed=1234), np.array([2, 9, 2, 9, 2]))[0])


def test_earlier_files_are_kept_or_it_is_said(snapshot, tmp_path, capsys):
    sheet = ['--snapshot', snapshot, '--gpu', -1, '--classes', 1, 2, '--results_dir', tmp_path]
    for arguments in (sheet, [*sheet, '--n', 3], [*sheet, '--n', 3, '--npz']):
        assert run(gen_images.main, *arguments) == 0
    assert 'replaced' not in capsys.readouterr().err
    assert run(gen_images.main, *sheet, '--seed', 5) == 0
    assert f'{tmp_path}/1.png and 1 more: replaced; --results_dir keeps both' in capsys.readouterr().err
    assert run(gen_images.main, *sheet, '--n', 3, '--npz') == 0
    assert f'{tmp_path}/samples.npz: replaced' in capsys.readouterr().err
    assert run(gen_images.main, *sheet, '--n', 2) == 0
    assert f'{tmp_path}/images holds earlier files; it is now {tmp_path}/images.old-1' in capsys.readouterr().out
    assert len(files_in(tmp_path / 'images')) == 3 and len(files_in(tmp_path / 'images.old-1')) == 4


def test_same_latents(snapshot, tmp_path):
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--rows', 1, '--columns', 3, '--same_latents',
               '--seed', 4, '--results_dir', tmp_path) == 0
    for c in (0, 9):
        ims, _ = generate_ims(generator(snapshot), 3, NoiseSampler(3, 10, seed=4), np.full(3, c))
        np.testing.assert_array_equal(read(tmp_path / f'{c}.png'), make_sheet(ims, 1, 3))


def test_truncation_and_standing_statistics(snapshot, tmp_path):
    """Both change the images, and as their own functions do."""
    for name, arguments in (('plain', []), ('truncated', ['--truncation', .5]), ('standing', ['--standing', 2])):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 4, '--npz', '--results_dir',
                   tmp_path / name, *arguments) == 0
    ims = {name: open_images(tmp_path / name / 'samples.npz').ims for name in ('plain', 'truncated', 'standing')}
    gen = generator(snapshot)
    np.testing.assert_array_equal(ims['truncated'],
                                  generate_ims(gen, 4, NoiseSampler(3, 10, seed=1234, truncation=.5))[0])
    restate_statistics(gen, NoiseSampler(3, 10, seed=(1234, 1)), 2)
    np.testing.assert_array_equal(ims['standing'], generate_ims(gen, 4, NoiseSampler(3, 10, seed=1234))[0])
    assert (ims['plain'] != ims['truncated']).any() and (ims['plain'] != ims['standing']).any()


def test_standing_statistics_are_those_of_the_truncated_latents(snapshot, tmp_path):
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--n', 4, '--npz', '--results_dir', tmp_path,
               '--truncation', .5, '--standing', 2) == 0
    gen = generator(snapshot)
    restate_statistics(gen, NoiseSampler(3, 10, seed=(1234, 1), truncation=.5), 2)
    np.testing.assert_array_equal(open_images(tmp_path / 'samples.npz').ims,
                                  generate_ims(gen, 4, NoiseSampler(3, 10, seed=1234, truncation=.5))[0])


@pytest.mark.parametrize('npz', [[], ['--npz']])
def test_interrupted_it_leaves_what_was_there(snapshot, tmp_path, monkeypatch, capsys, npz):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, *npz]
    assert run(gen_images.main, *arguments, '--n', 3) == 0
    before = files_in(tmp_path)

    def interrupted(*args):
        for k, batch in enumerate(generate_batches(*args)):
            if k == 1:
                raise KeyboardInterrupt
            yield batch
    monkeypatch.setattr(gen_images, 'generate_batches', interrupted)
    assert run(gen_images.main, *arguments, '--n', 203) == 130
    assert files_in(tmp_path) == before and len(list(tmp_path.iterdir())) == 1


def test_what_would_not_fit_on_the_disk(snapshot, tmp_path, capsys):
    """Nothing is left, neither a file nor a folder."""
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path / 'a' / 'b', '--n',
               10 ** 15, '--npz') == 2
    assert re.fullmatch(rf'command: error: {tmp_path}/a/b/samples.npz: expected 192,000,000.0 GB of free disk space, '
                        r'found [0-9.,]+\n', capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize('npz', [[], ['--npz']])
def test_killed_it_leaves_nothing_for_long(snapshot, tmp_path, npz):
    """SIGTERM, as by `timeout` or a batch system: nothing; after SIGKILL the next run removes what is left."""
    out = tmp_path / 'out'
    command = [sys.executable, ROOT / 'evaluations' / 'gen_images.py', '--snapshot', snapshot, '--gpu', '-1',
               '--results_dir', out, *npz]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    for number, status, left in ((signal.SIGTERM, 128 + signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL, 1)):
        process = subprocess.Popen([*command, '--n', str(10 ** 7)], env=environment, stderr=subprocess.PIPE, text=True)
        while not list(out.glob('.*.part')):
            assert process.poll() is None
            time.sleep(.05)
        process.send_signal(number)
        error = process.communicate(timeout=60)[1]
        assert process.returncode == status
        assert error == {signal.SIGTERM: 'terminated\n', signal.SIGKILL: ''}[number]
        assert out.exists() == bool(left) and len(list(out.glob('.*'))) == left
    subprocess.run([*command, '--n', '3'], env=environment, check=True)
    assert [path.name for path in out.iterdir()] == ['samples.npz' if npz else 'images']


@pytest.mark.parametrize('name', ['--rows', '--columns', '--scale'])
def test_what_goes_with_sheets_alone(snapshot, tmp_path, capsys, name):
    assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--n', 2, name, 2) == 2
    assert f'{name} goes with sheets, not with --n' in capsys.readouterr().err
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize('arguments', [[], ['--n', 3], ['--n', 3, '--npz']])
def test_nothing_is_replaced_where_nothing_can_be_written(snapshot, tmp_path, monkeypatch, capsys, arguments):
    for k in range(2):
        assert run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, *arguments) == 2 * k
        monkeypatch.setattr(os, 'access', lambda path, mode: False)
    assert capsys.readouterr().err == f'command: error: {tmp_path}: expected a folder to write to: Permission denied\n'
