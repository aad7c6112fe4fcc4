"""The command: what it leaves, what it prints, and what it says to input it cannot use."""
import json
import os
import re
import sys

import train
from source.build import NETWORKS
from source.yaml_utils import load_config
from tests import children
from tests.children import ROOT
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import REMOVED, UNCONDITIONAL, files_in, run, write_config

import chainer
import numpy as np
import pytest
from PIL import Image

CHANGES = {'iteration': 3, 'evaluation_interval': 3, 'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}}
CONTENTS = {
    'config.yml', 'log.json', 'log.jsonl', 'log', 'losses.png', 'scores.png', 'preview/00000003.png',
    *(f'{name}_{k}{suffix}' for k in (2, 3) for name, suffix in (
        ('ResNetGenerator', '.npz'), ('SNResNetProjectionDiscriminator', '.npz'), ('snapshot_iter', '')))}


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """Config, results folder and output of a run of three iterations."""
    folder = tmp_path_factory.mktemp('finished')
    path = write_config(folder, CHANGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
        patch.setattr(sys, 'stdout', open(folder / 'stdout', 'w+'))
        assert run(train.main, '--config', path, '--results_dir', folder / 'out', '--gpu', -1) == 0
        sys.stdout.close()
    return path, folder / 'out', (folder / 'stdout').read_text()


# What a run leaves

def test_results_folder(finished):
    _, out, _ = finished
    assert set(files_in(out)) == CONTENTS
    assert (out / 'log').read_text() == (out / 'log.json').read_text()


def test_log(finished):
    _, out, _ = finished
    log = json.loads((out / 'log.json').read_text())
    assert [entry['iteration'] for entry in log] == [2, 3]
    always = {'loss_gen', 'loss_dis', 'epoch', 'iteration', 'elapsed_time'}
    scores = {f'digits_{name}' for name in ('is_mean', 'is_std', 'fid', 'recognized')}
    assert [set(entry) for entry in log] == [always, always | scores]
    assert all(np.isfinite(value) for entry in log for value in entry.values())


def test_config_beside_the_results_reads_the_same(finished):
    path, out, _ = finished
    config = load_config(out / 'config.yml')
    versions = config.pop('versions')
    assert config == {**{k: v for k, v in load_config(path).items() if k != 'versions'}, 'results_dir': str(out)}
    assert versions['chainer'] == chainer.__version__
    assert versions['numpy'] == np.__version__
    assert versions['python'] == sys.version.split()[0]


def test_preview_and_curves_are_images(finished):
    _, out, _ = finished
    with Image.open(out / 'preview' / '00000003.png') as sheet:
        assert sheet.size == (10 * 72 - 8, 10 * 72 - 8)  # 8 px, shown 8 times as large, with gaps of one such pixel
    for name in ('losses.png', 'scores.png'):
        with Image.open(out / name) as curves:
            assert np.asarray(curves.convert('L')).std() > 1


def test_model_files_hold_the_models_of_the_whole_snapshot(finished):
    _, out, _ = finished
    with np.load(out / 'snapshot_iter_3') as whole:
        for name, key in (('ResNetGenerator', 'opt_gen'), ('SNResNetProjectionDiscriminator', 'opt_dis')):
            prefix = f'updater/model:{key}/'
            with np.load(out / f'{name}_3.npz') as model:
                assert {prefix + k for k in model.files} == {k for k in whole.files if k.startswith(prefix)}
                assert all(np.array_equal(model[k], whole[prefix + k]) for k in model.files)


def test_output_names_what_is_there(finished):
    _, out, stdout = finished
    assert [int(k) for k in re.findall(r'^iteration +(\d+)  loss_gen', stdout, re.M)] == [2, 3]
    assert 'digits_recognized' in stdout
    assert 'Done: 3 iterations in ' in stdout
    named = re.findall(r'[\w./-]+\.(?:png|json|yml|npz)|snapshot_iter_\d+', stdout.partition('Done:')[2])
    assert len(named) >= 7
    assert all((out / name).exists() for name in named)
    assert f'evaluations/gen_images.py --snapshot {out}/ResNetGenerator_3.npz' in stdout
    assert f'evaluations/calc_inception.py --snapshot {out}/ResNetGenerator_3.npz' in stdout


def test_earlier_run_is_set_aside(tmp_path, capsys):
    path, out = write_config(tmp_path, {'iteration': 1}), tmp_path / 'out'
    kept = []
    for n in range(3):
        assert run(train.main, '--config', path, '--results_dir', out, '--gpu', -1, '--seed', n) == 0
        assert [files_in(tmp_path / f'out.old-{k}') for k in range(1, n + 1)] == kept
        assert load_config(out / 'config.yml')['seed'] == n
        kept.append(files_in(out))
        said = f'{out} holds an earlier run; it is now {out}.old-{n}' in capsys.readouterr().out
        assert said == (n > 0)


def test_folder_of_other_things_is_kept(tmp_path, capsys):
    """And a training without classes does not speak of them."""
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'notes.txt').write_text('mine')
    path = write_config(tmp_path, {**UNCONDITIONAL, 'iteration': 1})
    assert run(train.main, '--config', path, '--results_dir', tmp_path / 'out', '--gpu', -1) == 0
    assert (tmp_path / 'out' / 'notes.txt').read_text() == 'mine'
    assert not (tmp_path / 'out.old-1').exists()
    assert 'one column per class' not in capsys.readouterr().out


def test_results_go_where_the_config_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, {'iteration': 1})
    assert run(train.main, '--config_path', 'narrow.yml', '--device', -1) == 0
    assert (tmp_path / 'results' / 'narrow' / 'ResNetGenerator_1.npz').exists()
    assert run(train.main, '--config', 'narrow.yml', '-g', -1, '--set', 'results_dir=there') == 0
    assert (tmp_path / 'there' / 'ResNetGenerator_1.npz').exists()


def test_dry_run_writes_nothing(finished, tmp_path, capsys):
    path = write_config(tmp_path)
    before = files_in(tmp_path)
    assert run(train.main, '--config', path, '--results_dir', tmp_path / 'out', '--gpu', -1, '--dry_run') == 0
    assert f'{path}: ready to train 2 iterations into {tmp_path}/out' in capsys.readouterr().out
    assert files_in(tmp_path) == before
    assert not (tmp_path / 'out').exists()
    before = files_in(finished[1].parent)
    assert run(train.main, '--config', finished[0], '--results_dir', finished[1], '--gpu', -1, '--dry_run') == 0
    assert files_in(finished[1].parent) == before


# Input that cannot be used: one line with what, where and what was expected; status 2; nothing written

def refused(folder, capsys, *arguments, config=None, out='out'):
    """The one line said; checks the status and that no file in `folder` is new, changed or gone."""
    config = write_config(folder) if config is None else config
    before = files_in(folder), sorted(folder.rglob('*'))
    assert run(train.main, '--config', config, '--results_dir', folder / out, '--gpu', -1, *arguments) == 2
    assert (files_in(folder), sorted(folder.rglob('*'))) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.startswith('train.py: error: ')
    assert captured.err.count('\n') == 1
    assert captured.err.endswith('\n')
    return captured.err.removeprefix('train.py: error: ')


@pytest.mark.parametrize('changes, expected', [
    ({'batchsise': 3}, "batchsise: unknown key; did you mean 'batchsize'?"),
    ({'models.generator.args.chh': 3}, "models.generator.args.chh: unknown key; did you mean 'ch'?"),
    ({'dataset.args.sise': 3}, "dataset.args.sise: unknown key; did you mean 'size'?"),
    ({'updater.args.loss': 'hinge'}, "updater.args.loss: unknown key; did you mean 'loss_type'?"),
    ({'batchsize': REMOVED}, 'batchsize: missing; expected int'),
    ({'batchsize': 'four'}, "batchsize: expected int, found 'four' (str)"),
    ({'batchsize': -4}, 'batchsize: expected at least 1, found -4'),
    ({'updater.args.n_dis': 0}, 'updater: n_dis must be at least 1, got 0'),
    ({'models.generator.args.n_classes': 3}, 'models.generator.args.n_classes is 3 and models.discriminator.args.'
                                             'n_classes is 10: expected the same number'),
    ({'models.generator.args.n_classes': 3, 'models.discriminator.args.n_classes': 3},
     'models.generator.args.n_classes: expected 10, the number of classes of DigitsDataset, found 3'),
    ({'dataset.args.size': 16}, 'dataset: images are 16x16, but ResNetGenerator makes 8x8'),
    ({'models.discriminator.fn': 'dis_models/snresnet.py'}, 'dataset: images are 8x8, but dis_models/snresnet.py takes '
                                                            'multiples of 32'),
    ({'evaluation': {'network': 'inceptoin'}},
     f"evaluation.network: expected one of {', '.join(NETWORKS)}, found 'inceptoin'"),
    ({'models.generator.fn': 'gen_models/resnet_16.py'}, 'models.generator.fn: no such file: gen_models/resnet_16.py')])
def test_config_refused(tmp_path, capsys, changes, expected):
    path = write_config(tmp_path, changes)
    assert refused(tmp_path, capsys, config=path) == f'{path}: {expected}\n'


@pytest.mark.parametrize('arguments, expected', [
    (['--set', 'batchsize'], '--set batchsize: expected key=value'),
    (['--seed', '-1'], 'seed: expected 0 to 4294967295, found -1'),
    (['--data_dir', 'nowhere'], '--data_dir nowhere: no such folder'),
    (['--resume', 'nowhere'], 'nowhere: no such snapshot'),
    (['--config', 'nowhere.yml'], 'nowhere.yml: cannot be read as a config file: No such file or directory'),
    (['--config', '/'], '/: cannot be read as a config file: Is a directory')])
def test_argument_refused(tmp_path, capsys, arguments, expected):
    assert expected in refused(tmp_path, capsys, *arguments)


@pytest.mark.parametrize('name, options', [
    ('sn_cifar10', ['--data_dir']), ('sn_projection_64', ['--data_dir']), ('sn_projection_64', [])])
def test_missing_data(tmp_path, capsys, name, options):
    narrow = ['--set', 'models.generator.args.ch=1', '--set', 'models.discriminator.args.ch=1']
    arguments = [*narrow, *(value for option in options for value in (option, tmp_path))]
    message = refused(tmp_path, capsys, *arguments, config=ROOT / 'configs' / f'{name}.yml')
    assert ('expected' if options else 'give --data_dir DIR') in message
    assert name in message or str(tmp_path) in message


@pytest.mark.parametrize('gpu', [99, -2])
def test_gpu_that_is_not_there(tmp_path, capsys, gpu):
    assert f'--gpu {gpu}: expected -1 (CPU) or the index of a GPU' in refused(tmp_path, capsys, '--gpu', gpu)


def test_results_folder_that_cannot_be_one(tmp_path, capsys):
    (tmp_path / 'file').write_text('mine')
    assert f'{tmp_path}/file: expected a folder to write to' in refused(tmp_path, capsys, out='file')
    assert f'{tmp_path}/file/out: expected a folder to write to' in refused(tmp_path, capsys, out='file/out')


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_read_only_results_folder(tmp_path, capsys):
    (tmp_path / 'locked').mkdir(mode=0o500)
    assert f'{tmp_path}/locked/out: expected a folder to write to' in refused(tmp_path, capsys, out='locked/out')


def test_results_folder_in_use_that_cannot_be_renamed(tmp_path, capsys, monkeypatch):
    path = write_config(tmp_path)
    (tmp_path / 'config.yml').write_text('')
    monkeypatch.chdir(tmp_path)
    assert refused(tmp_path, capsys, '--results_dir', '.', config=path) == (
        '. holds an earlier run and cannot be renamed: expected another results folder\n')


@pytest.mark.parametrize('changes, expected', [
    ({'models.generator.args.ch': 5}, 'updater/model:opt_gen/b5/avg_mean has shape (4,), but the model has (5,) there'),
    ({'models.discriminator.args.ch': 5},
     'updater/model:opt_dis/block1/c1/W has shape (4, 3, 3, 3), but the model has (5, 3, 3, 3) there'),
    (UNCONDITIONAL, 'the model needs updater/model:opt_gen/block2/b1/beta (4,), which the file does not hold')])
def test_resume_of_another_architecture(finished, tmp_path, capsys, changes, expected):
    _, out, _ = finished
    path = write_config(tmp_path, {**changes, 'iteration': 3})
    message = refused(tmp_path, capsys, '--resume', out / 'snapshot_iter_3', config=path)
    assert message.startswith(f'{out}/snapshot_iter_3: ')
    assert expected in message
    assert message.endswith('it is a snapshot of another architecture\n')


def test_resume_of_files_that_are_no_snapshot(finished, tmp_path, capsys):
    _, out, _ = finished
    whole = (out / 'snapshot_iter_3').read_bytes()
    for name, content in (('cut', whole[:len(whole) // 2]), ('empty', b''), ('text', b'hello\n' * 99)):
        (tmp_path / name).write_bytes(content)
        assert f'{name}: not a complete .npz snapshot' in refused(tmp_path, capsys, '--resume', tmp_path / name)
    model = out / 'ResNetGenerator_3.npz'
    assert refused(tmp_path, capsys, '--resume', model) == (
        f'{model}: not a snapshot of training; expected a file like snapshot_iter_<iteration>\n')
    assert 'cannot be read: Is a directory' in refused(tmp_path, capsys, '--resume', out)


def test_resume_beyond_the_end(finished, tmp_path, capsys):
    path, out, _ = finished
    assert refused(tmp_path, capsys, '--resume', out / 'snapshot_iter_3', '--set', 'iteration=2', config=path) == (
        f'{out}/snapshot_iter_3: made 3 iterations already; {path}: iteration: found 2\n')


def test_earlier_run_is_not_set_aside_for_input_that_is_refused(finished, capsys):
    _, out, _ = finished
    path = write_config(out.parent, {**CHANGES, 'dataset.args.size': 16}, 'wrong.yml')
    refused(out.parent, capsys, config=path)
    assert set(files_in(out)) == CONTENTS


# As a user runs it

def test_command_from_another_folder(tmp_path):
    write_config(tmp_path, {'display_interval': 1})
    status, stdout, stderr = children.python(ROOT / 'train.py', '--config', 'narrow.yml', '--gpu', -1,
                                             '--set', 'evaluation.n_images=20', cwd=tmp_path)
    assert status == 0, stderr
    assert (tmp_path / 'results' / 'narrow' / 'snapshot_iter_2').exists()
    lines = stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [['iteration', '1'], ['iteration', '2']]
    assert lines[2].startswith('Done: 2 iterations')
    assert re.search(r'2/2 \[.*(it/s|s/it)\]', stderr)
    assert 'Warning' not in stderr


def test_command_refuses(tmp_path):
    assert children.python(ROOT / 'train.py', '--config', 'none.yml', cwd=tmp_path) == (
        2, '', 'train.py: error: none.yml: cannot be read as a config file: No such file or directory\n')
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_refuses_what_training_would(tmp_path, capsys):
    (tmp_path / 'file').write_text('mine')
    assert refused(tmp_path, capsys, '--dry_run', out='file').endswith(
        'file: expected a folder to write to: Not a directory\n')
    assert "paper_row: no row 'cifar10_cnn_sm' among the published numbers; did you mean 'cifar10_cnn_sn'?" in refused(
        tmp_path, capsys, '--dry_run', '--set', 'paper_row=cifar10_cnn_sm')
