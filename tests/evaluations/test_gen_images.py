import os
import subprocess
import sys
from pathlib import Path

from evaluations import gen_images
from source.build import build_models
from source.miscs.generate import generate_ims
from source.miscs.image_sheets import make_sheet
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import load_model, save_snapshot
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
    assert f'2 sheets of {rows}×{columns} images in {tmp_path}/' in capsys.readouterr().out


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
    (['--scale', 0], '--scale: expected at least 1'), (['--seed', -1], '--seed: expected 0 to 4294967295, found -1'),
    (['--gpu', 99], '--gpu 99: expected −1 (CPU) or the index of a GPU'),
    (['--snapshot', 'none.npz'], 'none.npz: no such snapshot'),
    (['--config', 'none.yml'], 'none.yml: no such config; give the one of'),
    (['--results_dir', '{file}'], '{file}: expected a folder to write to'),
    (['--snapshot', '{file}'], '{file}: not a complete .npz snapshot'),
    (['--snapshot', '{dis}'], '{dis}: ResNetGenerator needs b5/N (), which the file does not hold'),
    (['--config', '{wider}'], 'b5/avg_mean has shape (4,), but ResNetGenerator has (6,) there')])
def test_refused(snapshot, tmp_path, capsys, arguments, expected):
    names = {'file': tmp_path / 'file', 'dis': snapshot.parent / 'SNResNetProjectionDiscriminator_2.npz',
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
