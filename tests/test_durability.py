"""Nothing a training wrote is lost: to signals, kills, full disks, and NaN."""
import json
import re
import resource
import shlex
import shutil
import signal
import sys

import train
from benchmarks import kill_training
from source.config.build import NETWORKS
from source.files.line_log import LineLog
from source.files.lock import claimed
from source.results_folder import results_dir
from source.results_folder.snapshots import newest_good
from tests import children
from tests.children import ROOT
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest

PLAIN = {'cpu_kernels': False, 'display_interval': 1, 'snapshot_interval': 1, 'evaluation_interval': 99}
AUTO = ('--resume', 'auto')


def start(config, out, *arguments, **options):
    return children.start(sys.executable, ROOT / 'train.py', '--config', config, '--results_dir', out, '--gpu=-1',
                          *arguments, **options)


def train_into(out, config, *arguments):
    """The exit status of `train.py`, in this process."""
    return run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, *arguments)


def errors_of(text):
    """What is said beside the progress bar."""
    return [line for line in text.replace('\r', '\n').splitlines() if line.strip() and 'it/s]' not in line
            and 's/it]' not in line]


def snapshots_and_models(out):
    return {name: content for name, content in files_in(out).items() if 'iter_' in name or name.endswith('.npz')}


@pytest.mark.parametrize('number', [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_first_signal_finishes_the_iteration_and_writes_a_snapshot(tmp_path, number):
    """And the training that goes on from there ends as one that was not stopped."""
    config = write_config(tmp_path, {**PLAIN, 'iteration': 100000, 'snapshot_interval': 100000})
    whole, out = tmp_path / 'whole', tmp_path / 'out'
    process = start(config, out)
    children.wait_until((out / 'log.jsonl').exists, process)
    process.send_signal(number)
    status, stdout, stderr = children.finish(process)
    assert status == 0, stderr
    snapshot, = out.glob('snapshot_iter_*')
    iteration = results_dir.iteration_of(snapshot)
    assert newest_good(out) == snapshot
    command = re.search(rf'^stopped by {number.name} after iteration {iteration}; to go on: (.*)$', stdout, re.M)[1]
    assert shlex.split(command)[-2:] == ['--resume', 'auto'] and str(out) in command
    assert LineLog(out / 'log.jsonl').entries[-1]['iteration'] == iteration

    end = ['--set', f'iteration={iteration + 1}', '--set', 'snapshot_interval=100000']
    assert train_into(out, config, *AUTO, *end) == train_into(whole, config, *end) == 0
    for name in (f'snapshot_iter_{iteration + 1}', f'ResNetGenerator_{iteration + 1}.npz', 'log.json', 'log.jsonl'):
        assert kill_training.content(whole / name) == kill_training.content(out / name), name


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """The config and the results folder of three iterations."""
    folder = tmp_path_factory.mktemp('three')
    config = write_config(folder, {**PLAIN, 'iteration': 3})
    assert train_into(folder / 'out', config) == 0
    return config, folder / 'out'


@pytest.fixture
def three(finished, tmp_path):
    """The same with a copy of the folder."""
    shutil.copytree(finished[1], tmp_path / 'out', symlinks=True)
    return finished[0], tmp_path / 'out'


@pytest.mark.parametrize('damage', ['bit', 'folder'])
def test_auto_passes_over_a_damaged_snapshot_with_a_line(finished, three, capsys, damage):
    config, out = three
    path = out / 'snapshot_iter_3'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.unlink()
    path.mkdir() if damage == 'folder' else path.write_bytes(content)
    status = train_into(out, config, *AUTO)
    captured = capsys.readouterr()
    assert [line for line in captured.out.splitlines() if 'passed over' in line][0].startswith(f'{path}: ')
    if damage == 'folder':
        stopped = f'{path}: Is a directory; training stopped at iteration 3; last good snapshot: {out}/snapshot_iter_2'
        assert status == 1 and stopped in captured.err
    else:
        assert status == 0
        assert kill_training.content(path) == kill_training.content(finished[1] / 'snapshot_iter_3')


def test_auto_does_not_start_anew_where_every_snapshot_is_damaged(three, capsys):
    config, out = three
    for path in out.glob('snapshot_iter_*'):
        path.write_bytes(b'')
    before = files_in(out)
    assert train_into(out, config, *AUTO) == 2
    assert f'{out}: none of its 3 snapshots can be read' in capsys.readouterr().err
    assert files_in(out) == before


def test_auto_does_not_pass_over_a_snapshot_of_other_settings(three, tmp_path, capsys):
    config = write_config(tmp_path, {**PLAIN, 'iteration': 3, 'models.generator.args.ch': 5})
    assert train_into(three[1], config, *AUTO) == 2
    assert 'another architecture' in capsys.readouterr().err


def test_snapshots_of_before_there_were_versions(finished, three):
    """As version 0.1 wrote them: neither a comment nor scores, and no log.jsonl beside them."""
    config, out = three
    for path in out.glob('snapshot_iter_*'):
        with np.load(path) as arrays:
            earlier = {name: arrays[name] for name in arrays.files if name != 'extensions/SaveSnapshots/scores'}
            assert len(earlier) == len(arrays.files) - 1
        with open(path, 'wb') as file:
            np.savez(file, **earlier)
    (out / 'log.jsonl').unlink()
    for name in ('snapshot_iter_3', 'ResNetGenerator_3.npz', 'SNResNetProjectionDiscriminator_3.npz'):
        (out / name).rename(out / f'.{name}.abcdefgh.part')  # as a process leaves it that is killed while it writes
    assert train_into(out, config, *AUTO) == 0
    assert not list(out.glob('.*.part'))
    for name in ('snapshot_iter_3', 'log.json', 'log.jsonl'):
        assert kill_training.content(out / name) == kill_training.content(finished[1] / name)


def test_one_process_at_a_time(three, capsys):
    config, out = three
    before = files_in(out)
    for arguments in ((), AUTO):
        with claimed(out, ''):
            assert train_into(out, config, *arguments) == 2
        assert f'{out}: another process is training there' in capsys.readouterr().err
        assert files_in(out) == before


def test_files_that_may_not_grow(three, tmp_path):
    """A quota: the snapshot of the next iteration finds no room; the earlier ones stay, and training goes on later."""
    _, out = three
    config = write_config(tmp_path, {**PLAIN, 'iteration': 5})
    before = snapshots_and_models(out)
    n_bytes = (out / 'snapshot_iter_3').stat().st_size // 2
    process = start(config, out, *AUTO, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (n_bytes, n_bytes)))
    status, _, stderr = children.finish(process)
    goes_on, *said = errors_of(stderr)
    assert goes_on == f'{out}: goes on from snapshot_iter_3'
    assert status == 1 and len(said) == 1 and said[0].startswith(f'train.py: error: {out}/'), stderr
    assert said[0].endswith(
        f'File too large; training stopped at iteration 4; last good snapshot: {out}/snapshot_iter_3')
    assert not list(out.glob('.*.part'))
    after = snapshots_and_models(out)
    assert {name: after[name] for name in before} == before
    assert train_into(out, config, *AUTO) == 0


@pytest.mark.parametrize('kernels', [True, pytest.param(False, marks=pytest.mark.long)])
def test_nan_stops_training_with_iteration_norms_and_snapshot(tmp_path, kernels):
    config, out = write_config(tmp_path, {**PLAIN, 'cpu_kernels': kernels, 'iteration': 2}), tmp_path / 'out'
    assert train_into(out, config) == 0
    before = snapshots_and_models(out)
    status, _, stderr = children.finish(start(config, out, *AUTO, '--set', 'iteration=9', '--set', 'adam.alpha=1e38',
                                              '--set', 'iteration_decay_start=9'))
    assert status == 1, stderr
    assert 'Traceback' not in stderr
    first, gen, dis = errors_of(stderr)[-3:]  # after NumPy's own warnings
    assert first.startswith('train.py: error: ')
    assert ' is not finite at iteration 4; last good snapshot: ' in first
    assert first.endswith(f'{out}/snapshot_iter_3')  # alpha changes after the first iteration
    assert gen.startswith('spectral norms, ResNetGenerator: ') and ' l1 ' in gen
    assert dis.startswith('spectral norms, SNResNetProjectionDiscriminator: ') and ' block1/c1 ' in dis
    after = snapshots_and_models(out)
    assert {name: after[name] for name in before} == before


def test_a_model_that_is_not_finite_is_not_written(finished, tmp_path):
    config, _ = finished
    trainer = train.build_trainer(train.load_config(config), str(config), train.get_device(-1), tmp_path)
    trainer.updater.dis.block1.c1.u[0, 0] = np.inf
    trainer.updater.iteration = 5
    with pytest.raises(ArithmeticError, match='block1/c1/u is not finite at iteration 5'):
        trainer.get_extension('SaveSnapshots')(trainer)
    assert not list(tmp_path.iterdir())


def test_the_comparison_sees_a_difference(finished, three):
    whole, out = finished[1], three[1]
    kill_training.compare(whole, out)
    for path in (out / 'snapshot_iter_3', out / 'ResNetGenerator_3.npz', out / 'log.jsonl'):
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"iteration": 3', b'"iteration": 4') if 'log' in path.name else
                         path.with_name(path.name.replace('3', '2')).read_bytes())
        with pytest.raises(AssertionError, match=f'{path.stem}.* differs'):
            kill_training.compare(whole, out)
        path.write_bytes(content)


@pytest.mark.long
def test_killed_training_ends_as_an_undisturbed_one(tmp_path):
    """`benchmarks/kill_training.py` makes hundreds of kills."""
    figures = kill_training.kill_and_compare(tmp_path, kills=6, iterations=20, say=lambda line: None)
    assert figures['kills'] >= 3 and figures['files_compared'] > 20
    json.dumps(figures)


# Which snapshots stay

@pytest.fixture
def train_scored(tmp_path, monkeypatch):
    """Trains six iterations, the next of these scores after each; returns the results folder."""
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
    fids = iter([5., 2., 8., 9., 7., 6., 1., 1.])
    monkeypatch.setattr('source.extensions.calc_scores.scores_of', lambda *_, **__: {'fid': next(fids)})

    def train_scored(*arguments, iteration=6, **snapshots):
        config = write_config(tmp_path, {**PLAIN, 'iteration': iteration, 'evaluation_interval': 1, 'evaluation': {
            'network': 'digits', 'n_images': 20, 'splits': 2}, 'snapshots': snapshots})
        assert train_into(tmp_path / 'out', config, *arguments) == 0
        return tmp_path / 'out'
    return train_scored


def kept(out, pattern):
    return sorted(int(path.stem.rpartition('_')[2]) for path in out.glob(pattern))


def test_a_resumed_run_remembers_the_best(train_scored):
    """Models' files are kept with their snapshots."""
    few = {'keep_last': 1, 'keep_best': 2, 'keep_models': 1}
    assert kept(train_scored(iteration=3, **few), 'snapshot_iter_*') == [1, 2, 3]
    out = train_scored(*AUTO, **few)
    assert kept(out, 'snapshot_iter_*') == kept(out, 'ResNetGenerator_*') == kept(out, 'SNResNet*') == [1, 2, 6]


def test_the_last_and_the_best_are_kept_and_what_others_may_need(train_scored):
    """The snapshot a user named, those of later iterations than the present, and files of other names."""
    out = train_scored()
    assert kept(out, 'snapshot_iter_*') == [2, 4, 5, 6]
    assert kept(out, 'ResNetGenerator_*') == kept(out, 'SNResNet*') == [1, 2, 3, 4, 5, 6]
    others = ['snapshot_iter_best', 'snapshot_iter_1.npz', 'MyResNetGenerator_1.npz', 'ResNetGenerator_ema_1.npz']
    for name in others:
        (out / name).write_bytes(b'mine')
    train_scored('--resume', out / 'snapshot_iter_2', iteration=4, keep_last=1, keep_best=0, keep_models=1)
    assert kept(out, 'snapshot_iter_[0-9]') == kept(out, 'ResNetGenerator_[0-9].npz') == [2, 4, 5, 6]
    assert all((out / name).read_bytes() == b'mine' for name in others)
