"""The command: what it leaves, what it prints, and what it says to input it cannot use."""
import contextlib
import io
import json
import os
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import train
from source.config.build import NETWORKS
from source.config.yaml_utils import load_config
from source.datasets.digits import CLASS_NAMES
from source.pictures.image_sheets import GAP
from source.pictures.labelled_sheets import with_columns_named
from source.results_folder.results_dir import versions
from tests import children
from tests.children import ROOT
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import GREY_MODELS, UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

DISCRIMINATOR = 'SNResNetProjectionDiscriminator'
CHANGES = {'iteration': 3, 'evaluation_interval': 3, 'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}}
CONTENTS = {
    'config.yml', 'log.json', 'log.jsonl', 'log', 'losses.png', 'preview/00000003.png',
    *(f'{name}_{k}{suffix}' for k in (2, 3) for name, suffix in (
        ('ResNetGenerator', '.npz'), (DISCRIMINATOR, '.npz'), ('snapshot_iter', '')))}


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())


def train_into(out, config, *options):
    return run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, *options)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """Config, results folder and output of a run of three iterations."""
    folder = tmp_path_factory.mktemp('finished')
    path = write_config(folder, CHANGES)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as stdout:
        patch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
        assert train_into(folder / 'out', path) == 0
    return path, folder / 'out', stdout.getvalue()


def test_results_folder(finished):
    """The config in it reads the same."""
    path, out, _ = finished
    assert set(files_in(out)) == CONTENTS
    assert (out / 'log').read_text() == (out / 'log.json').read_text()
    log = json.loads((out / 'log.json').read_text())
    assert [entry['iteration'] for entry in log] == [2, 3]
    always = {'loss_gen', 'loss_dis', 'epoch', 'iteration', 'elapsed_time'}
    scores = {f'digits_{name}' for name in ('is_mean', 'is_std', 'fid', 'recognized')}
    assert [set(entry) for entry in log] == [always, always | scores]
    assert all(np.isfinite(value) for entry in log for value in entry.values())
    ran_with = {**versions(), 'numpy': np.__version__, 'chainer': '7.8.1'}
    assert {'python', 'scipy', 'numba', 'PyYAML'} <= set(ran_with)
    assert load_config(out / 'config.yml') == {
        **load_config(path), 'results_dir': str(out), 'versions': ran_with, 'processes': 1, 'accumulate': 1}
    sheet, losses = (Image.open(out / f'{name}.png') for name in ('preview/00000003', 'losses'))
    side = 10 * (6 * 8 + GAP) - GAP  # 8 px, shown 6 times as large
    images = np.asarray(sheet)[-side:]
    np.testing.assert_array_equal(np.asarray(sheet), with_columns_named(images, list(CLASS_NAMES)))
    assert images.shape == (side, side, 3)
    assert np.asarray(losses.convert('L')).std() > 1


def test_model_files_hold_the_models_of_the_whole_snapshot(finished):
    _, out, _ = finished
    with np.load(out / 'snapshot_iter_3') as whole:
        for name, prefix in (('ResNetGenerator', 'updater/model:opt_gen/'), (DISCRIMINATOR, 'updater/model:opt_dis/')):
            with np.load(out / f'{name}_3.npz') as model:
                assert {prefix + k for k in model.files} == {k for k in whole.files if k.startswith(prefix)}
                assert all(np.array_equal(model[k], whole[prefix + k]) for k in model.files)


def test_output_names_what_is_there(finished):
    _, out, stdout = finished
    assert [int(k) for k in re.findall(r'^iteration +(\d+)  loss_gen', stdout, re.M)] == [2, 3]
    assert 'digits_recognized' in stdout and 'Done: 3 iterations in ' in stdout
    named = re.findall(r'[\w./-]+\.(?:png|json|yml|npz)|snapshot_iter_\d+', stdout.partition('Done:')[2])
    assert len(named) >= 7 and all((out / name).exists() for name in named)
    for command in ('gen_images', 'calc_inception'):
        assert f'evaluations/{command}.py --snapshot {out}/ResNetGenerator_3.npz' in stdout


def test_the_command_to_go_on_is_whole():
    """All that the first one was given, quoted, and nothing of what it resumed from."""
    arguments = ['--config', 'a b.yml', '--data_dir', 'data', '--results_dir', './-out', '--gpu', '-1', '--seed', '0',
                 '--loader_workers', '2', '--set', 'adam.alpha=1e-4', '--set', 'seed=3', '--quick']
    with mock.patch.object(sys, 'argv', ['train.py', *arguments, '--snapshot', 'snapshot_iter_3']):
        args = train.parse_arguments()
    command = train.go_on_command(args, SimpleNamespace(size=1))
    python, script, *found = shlex.split(command)
    assert found == [*arguments, '--resume', 'auto']
    assert Path(script).resolve() == ROOT / 'train.py'
    assert train.go_on_command(args, SimpleNamespace(size=4)) == f'mpiexec -n 4 {command}'


def test_earlier_run_is_set_aside(tmp_path, capsys):
    path, out = write_config(tmp_path, {'iteration': 1}), tmp_path / 'out'
    kept = []
    for n in range(3):
        assert train_into(out, path, '--seed', n) == 0
        assert [files_in(tmp_path / f'out.old-{k}') for k in range(1, n + 1)] == kept
        assert load_config(out / 'config.yml')['seed'] == n
        kept.append(files_in(out))
        assert (f'{out} holds an earlier run; it is now {out}.old-{n}' in capsys.readouterr().out) == (n > 0)


def test_folder_of_other_things_is_kept(tmp_path, capsys):
    """And a training without classes does not speak of them."""
    notes, path = tmp_path / 'notes.txt', write_config(tmp_path, {**UNCONDITIONAL, 'iteration': 1})
    notes.write_text('mine')
    assert train_into(tmp_path, path) == 0
    assert notes.read_text() == 'mine' and (tmp_path / 'ResNetGenerator_1.npz').exists()
    assert 'one column per class' not in capsys.readouterr().out


def test_dry_run_writes_nothing(finished, tmp_path, capsys):
    path = write_config(tmp_path)
    assert train_into(tmp_path / 'out', path, '--dry_run') == 0
    assert f'{path}: ready to train 2 iterations into {tmp_path}/out' in capsys.readouterr().out
    assert set(tmp_path.iterdir()) == {path}
    path, out, _ = finished
    before = files_in(out.parent)
    assert train_into(out, path, '--dry_run') == 0
    assert files_in(out.parent) == before


def test_command_from_another_folder(tmp_path):
    write_config(tmp_path, {'display_interval': 1})
    status, stdout, stderr = children.python(ROOT / 'train.py', '--config_path', 'narrow.yml', '-g', -1,
                                             '--set', 'results_dir=there', cwd=tmp_path)
    assert status == 0, stderr
    assert (tmp_path / 'there' / 'snapshot_iter_2').exists()
    lines = stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [['iteration', '1'], ['iteration', '2']]
    assert '  left ' in lines[0] and lines[1].endswith('  left 0 s')  # as no bar is drawn in a file
    assert lines[2].startswith('Done: 2 iterations')
    assert stderr == ''


# Input that cannot be used: one line with what, where and what was expected; status 2; nothing written

def refused(folder, capsys, *arguments, config=None):
    """The one line said; checks the status and that no file in `folder` is new, changed or gone."""
    config = write_config(folder) if config is None else config
    before = files_in(folder), sorted(folder.rglob('*'))
    assert train_into(folder / 'out', config, *arguments) == 2
    assert (files_in(folder), sorted(folder.rglob('*'))) == before
    stdout, stderr = capsys.readouterr()
    assert stdout == '' and re.fullmatch(r'train\.py: error: .*\n', stderr), (stdout, stderr)
    return stderr.removeprefix('train.py: error: ')


@pytest.mark.parametrize('changes, expected', [
    ({'updater.args.loss': 'hinge'}, "updater.args.loss: unknown key; did you mean 'loss_type'?"),
    ({'updater.args.n_dis': 0}, 'updater: n_dis must be at least 1, got 0'),
    ({'updater.args.n_gen_samples': -1}, 'updater: n_gen_samples must be at least 1, got -1'),
    ({'updater.args.loss_type': 'hing'}, 'updater: loss_type must be one of dcgan, hinge, wasserstein'),
    ({'updater.args.n_dis': None}, 'updater.args.n_dis: expected int, found nothing'),
    ({'updater.args.sampler': 3}, 'updater.args.sampler: unknown key; '),
    ({'models.generator.args.ch': 0}, 'models.generator.args.ch: expected at least 1, found 0'),
    ({'models.discriminator.args.n_classes': -1}, 'models.discriminator.args.n_classes: expected at least 0, found -1'),
    ({'models.generator.args.distribution': 'gauss'},
     "models.generator.args.distribution: expected 'normal' or 'uniform', found 'gauss'"),
    ({'models.discriminator.fn': 'gen_models/resnet_32.py', 'models.discriminator.name': 'ResNetGenerator'},
     'models.discriminator.name: expected a discriminator, found ResNetGenerator'),
    ({'models.generator': {'fn': 'dis_models/snresnet_32.py', 'name': DISCRIMINATOR}},
     f'models.generator.name: expected a generator, found {DISCRIMINATOR}'),
    ({**UNCONDITIONAL, 'updater.args.conditional': True},
     'updater.args.conditional is true: expected models.generator.args.n_classes above 0, found 0'),
    ({'updater.args.conditional': False},
     'updater.args.conditional is false: expected models.generator.args.n_classes 0, found 10'),
    ({'models.generator.args.n_classes': 3},
     'models.generator.args.n_classes is 3 and models.discriminator.args.n_classes is 10: expected the same number'),
    ({'models.generator.args.n_classes': 3, 'models.discriminator.args.n_classes': 3},
     'models.generator.args.n_classes: expected 10, the number of classes of DigitsDataset, found 3'),
    ({'models.discriminator.args.channels': 0}, 'models.discriminator.args.channels: expected at least 1, found 0'),
    ({'models.generator.args.channels': 4}, 'models.generator.args.channels: expected 3 or 1, found 4'),
    ({'models.generator.args.channels': 1},
     'models.generator.args.channels is 1 and models.discriminator.args.channels is 3: expected the same number'),
    (GREY_MODELS, 'dataset.args.channels: images of DigitsDataset have 3, but models.generator.args.channels is 1: '
     'expected the same number'),
    ({**UNCONDITIONAL, **GREY_MODELS, 'dataset': {'dataset_fn': 'datasets/photo_tiles.py',
                                                  'dataset_name': 'PhotoTilesDataset', 'args': {'size': 8}}},
     'dataset: images of PhotoTilesDataset have 3, but models.generator.args.channels is 1: expected the same number'),
    ({'dataset.args.size': 16}, 'dataset: images are 16x16, but ResNetGenerator makes 8x8'),
    ({'models.discriminator.fn': 'dis_models/snresnet.py'},
     'dataset: images are 8x8, but dis_models/snresnet.py takes multiples of 32'),
    ({'accumulate': 2, 'synchronized_batch_norm': True},
     'accumulate: expected 1 where synchronized_batch_norm is true'),
    ({'evaluation.network': 'digit'}, f"evaluation.network: expected one of {', '.join(NETWORKS)}, found 'digit'"),
    ({'models.generator.fn': 'gen_models/resnet_16.py'}, 'models.generator.fn: no such file: gen_models/resnet_16.py')])
def test_config_refused(tmp_path, capsys, changes, expected):
    path = write_config(tmp_path, changes)
    assert refused(tmp_path, capsys, config=path).startswith(f'{path}: {expected}')


OWN_UPDATERS = '''
from source.updater import Updater
from chainer.training.updaters import StandardUpdater


class Own(Updater):
    def update_core(self):
        self.update_generator()
        self.update_discriminator()


class Plain(StandardUpdater):
    def __init__(self, models, iterator, optimizer, conditional, sampler=None, device=None, seed=None):
        super().__init__(iterator, dict(optimizer), device=device)
        self.gen, self.dis = models['gen'], models['dis']
'''


@pytest.mark.parametrize('name, expected', [
    ('Own', 'updater: accumulate is done by update_core, of which Own has one of its own'),
    ('Plain', 'accumulate: expected 1, as Plain makes no parts; found 2')])
def test_updaters_that_make_no_parts_refuse_them(tmp_path, capsys, name, expected):
    (tmp_path / 'own.py').write_text(OWN_UPDATERS)
    path = write_config(tmp_path, {'accumulate': 2, 'updater': {
        'fn': 'own.py', 'name': name, 'args': {'conditional': True}}})
    assert refused(tmp_path, capsys, config=path).startswith(f'{path}: {expected}')


@pytest.mark.parametrize('arguments, expected', [
    (['--seed', '-1'], 'seed: expected 0 to 4294967295, found -1'),
    (['--data_dir', 'nowhere'], '--data_dir nowhere: no such folder'),
    (['--resume', 'nowhere'], 'nowhere: no such snapshot'),
    (['--config', 'nowhere.yml'], 'nowhere.yml: cannot be read as a config file: No such file or directory'),
    (['--config', '/'], '/: cannot be read as a config file: Is a directory'),
    (['--gpu', 99], '--gpu 99: expected -1 (CPU) or the index of a GPU'),
    (['--device', -2], '--gpu -2: expected -1 (CPU) or the index of a GPU'),
    (['--results_dir', '{}/narrow.yml'], 'narrow.yml: expected a folder to write to: Not a directory\n'),
    (['--dry_run', '--results_dir', '{}/narrow.yml/a'], 'narrow.yml/a: expected a folder to write to: Not a directory'),
    (['--dry_run', '--set', 'paper_row=cifar10_cnn_sm'],
     "paper_row: no row 'cifar10_cnn_sm' among the published numbers; did you mean 'cifar10_cnn_sn'?")])
def test_argument_refused(tmp_path, capsys, arguments, expected):
    assert expected in refused(tmp_path, capsys, *[str(argument).format(tmp_path) for argument in arguments])


def test_results_folder_in_use_that_cannot_be_renamed(tmp_path, capsys, monkeypatch):
    path = write_config(tmp_path)
    (tmp_path / 'config.yml').write_text('')
    monkeypatch.chdir(tmp_path)
    assert refused(tmp_path, capsys, '--results_dir', '.', config=path) == (
        '. holds an earlier run and cannot be renamed: expected another results folder\n')


def test_results_folder_on_a_disk_mounted_read_only(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('os.access', lambda path, mode: False)
    monkeypatch.setattr('os.statvfs', lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert refused(tmp_path, capsys) == f'{tmp_path}/out: expected a folder to write to: Read-only file system\n'


OTHER = 'it is a snapshot of another architecture\n'


@pytest.mark.parametrize('changes, snapshot, expected', [
    ({'models.generator.args.ch': 5}, 'snapshot_iter_3',
     f'updater/model:opt_gen/b5/avg_mean has shape (4,), but the model has (5,) there: {OTHER}'),
    ({'models.discriminator.args.ch': 5}, 'snapshot_iter_3',
     f'updater/model:opt_dis/block1/c1/W has shape (4, 3, 3, 3), but the model has (5, 3, 3, 3) there: {OTHER}'),
    (UNCONDITIONAL, 'snapshot_iter_3',
     f'the model needs updater/model:opt_gen/block2/b1/beta (4,), which the file does not hold: {OTHER}'),
    ({}, 'log.json', 'not a complete .npz snapshot'), ({}, 'preview', 'cannot be read: Is a directory'),
    ({}, 'ResNetGenerator_3.npz', 'not a snapshot of training; expected a file like snapshot_iter_<iteration>\n'),
    ({'iteration': 2}, 'snapshot_iter_3', 'made 3 iterations already; {path}: iteration: found 2\n')])
def test_resume_refused(finished, tmp_path, capsys, changes, snapshot, expected):
    """Nor is the earlier run set aside."""
    _, out, _ = finished
    path = write_config(tmp_path, {'iteration': 3, **changes})
    message = refused(out.parent, capsys, '--resume', out / snapshot, config=path)
    assert message.startswith(f'{out}/{snapshot}: {expected.format(path=path)}')
