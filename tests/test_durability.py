"""Nothing a training wrote is lost: to signals, kills, full disks, folders that cannot be written, and NaN."""
import contextlib
import json
import resource
import shutil
import signal
import sys

import train
from benchmarks import kill_training
from source.miscs import results_dir
from source.miscs.line_log import LineLog
from source.miscs.lock import claimed
from source.miscs.snapshots import newest_good
from tests import children
from tests.children import ROOT
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest

PLAIN = {'cpu_kernels': False, 'display_interval': 1, 'snapshot_interval': 1, 'evaluation_interval': 99}


def start(config, out, *arguments, **options):
    return children.start(sys.executable, ROOT / 'train.py', '--config', config, '--results_dir', out, '--gpu=-1',
                          *arguments, **options)


def train_on(config, out, *arguments):
    """The exit status of `train.py --resume auto`, in this process."""
    return run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, '--resume', 'auto', *arguments)


def errors_of(text):
    """What is said beside the progress bar."""
    return [line for line in text.replace('\r', '\n').splitlines() if line.strip() and 'it/s]' not in line
            and 's/it]' not in line]


# Signals

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
    assert f'stopped by {number.name} after iteration {iteration}; to go on: --resume auto' in stdout
    assert LineLog(out / 'log.jsonl').entries[-1]['iteration'] == iteration

    end = ['--set', f'iteration={iteration + 1}', '--set', 'snapshot_interval=100000']
    assert train_on(config, out, *end) == 0
    assert run(train.main, '--config', config, '--results_dir', whole, '--gpu', -1, *end) == 0
    for name in (f'snapshot_iter_{iteration + 1}', f'ResNetGenerator_{iteration + 1}.npz', 'log.json', 'log.jsonl'):
        assert kill_training.content(whole / name) == kill_training.content(out / name), name


# Resuming

@pytest.fixture(scope='module')
def three(tmp_path_factory):
    folder = tmp_path_factory.mktemp('three')
    config = write_config(folder, {**PLAIN, 'iteration': 3})
    assert run(train.main, '--config', config, '--results_dir', folder / 'out', '--gpu', -1) == 0
    return config, folder / 'out'


def copied(three, tmp_path):
    shutil.copytree(three[1], tmp_path / 'out', symlinks=True)
    return three[0], tmp_path / 'out'


@pytest.mark.parametrize('damage', ['cut', 'bit', 'empty', 'folder'])
def test_auto_passes_over_a_damaged_snapshot_with_a_line(three, tmp_path, capsys, damage):
    config, out = copied(three, tmp_path)
    path = out / 'snapshot_iter_3'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.unlink()
    if damage == 'folder':
        path.mkdir()
    else:
        path.write_bytes({'cut': content[:-9], 'bit': content, 'empty': b''}[damage])
    status = train_on(config, out)
    captured = capsys.readouterr()
    assert [line for line in captured.out.splitlines() if 'passed over' in line][0].startswith(f'{path}: ')
    if damage == 'folder':
        assert status == 1 and f'{path}: Is a directory; training stopped at iteration 3; last good snapshot: ' \
                               f'{out}/snapshot_iter_2' in captured.err
    else:
        assert status == 0
        assert kill_training.content(path) == kill_training.content(three[1] / 'snapshot_iter_3')


def test_auto_does_not_start_anew_where_every_snapshot_is_damaged(three, tmp_path, capsys):
    config, out = copied(three, tmp_path)
    for path in out.glob('snapshot_iter_*'):
        path.write_bytes(b'')
    before = files_in(out)
    assert train_on(config, out) == 2
    assert f'{out}: none of its 3 snapshots can be read' in capsys.readouterr().err
    assert files_in(out) == before


def test_auto_does_not_pass_over_a_snapshot_of_other_settings(three, tmp_path, capsys):
    _, out = copied(three, tmp_path)
    config = write_config(tmp_path, {**PLAIN, 'iteration': 3, 'models.generator.args.ch': 5})
    assert train_on(config, out) == 2
    assert 'another architecture' in capsys.readouterr().err


def test_snapshots_of_before_there_were_versions(three, tmp_path):
    """As version 0.1 wrote them: neither a comment nor scores, and no log.jsonl beside them."""
    config, out = copied(three, tmp_path)
    for path in out.glob('snapshot_iter_*'):
        with np.load(path) as arrays:
            earlier = {name: arrays[name] for name in arrays.files if name != 'extensions/SaveSnapshots/scores'}
            assert len(earlier) == len(arrays.files) - 1
        with open(path, 'wb') as file:
            np.savez(file, **earlier)
    (out / 'log.jsonl').unlink()
    for name in ('snapshot_iter_3', 'ResNetGenerator_3.npz', 'SNResNetProjectionDiscriminator_3.npz'):
        (out / name).unlink()
    assert train_on(config, out) == 0
    for name in ('snapshot_iter_3', 'log.json', 'log.jsonl'):
        assert kill_training.content(out / name) == kill_training.content(three[1] / name)


def test_one_process_at_a_time(three, tmp_path, capsys):
    config, out = copied(three, tmp_path)
    before = files_in(out)
    for arguments in ([], ['--resume', 'auto']):
        with claimed(out, ''):
            assert run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, *arguments) == 2
        assert f'{out}: another process is training there' in capsys.readouterr().err
        assert files_in(out) == before


# Disks

def stopped_by_disk(process, out, reason):
    """The one line that a training says which could not write."""
    status, _, stderr = children.finish(process)
    said = errors_of(stderr)
    assert status == 1 and len(said) == 1, stderr
    assert said[0].startswith(f'train.py: error: {out}/')
    assert f'{reason}; training stopped at iteration ' in said[0]
    return said[0]


def test_files_that_may_not_grow(three, tmp_path):
    """A quota: the snapshot of the next iteration finds no room; the earlier ones stay, and training goes on later."""
    _, out = copied(three, tmp_path)
    config = write_config(tmp_path, {**PLAIN, 'iteration': 5})
    before = files_in(out)
    n_bytes = (out / 'snapshot_iter_3').stat().st_size // 2
    process = start(config, out, '--resume', 'auto', preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (n_bytes, n_bytes)))
    said = stopped_by_disk(process, out, 'File too large')
    assert not list(out.glob('.*.part'))
    assert said.endswith(f'at iteration 4; last good snapshot: {out}/snapshot_iter_3')
    after = files_in(out)
    assert {name: after[name] for name in before if 'iter' in name or name.endswith('.npz')} == {
        name: before[name] for name in before if 'iter' in name or name.endswith('.npz')}
    assert train_on(config, out) == 0


@contextlib.contextmanager
def mounted(path, options):
    path.mkdir()
    status, _, stderr = children.run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path)
    if status:
        pytest.skip(f'needs the right to mount: {stderr.strip()}')
    try:
        yield path
    finally:
        assert children.run('umount', path)[0] == 0


def test_full_disk(tmp_path):
    config = write_config(tmp_path, {**PLAIN, 'iteration': 100, 'snapshots.keep_last': 0})
    with mounted(tmp_path / 'small', 'size=2m') as disk:
        out = disk / 'out'
        said = stopped_by_disk(start(config, out), out, 'No space left on device')
        assert not list(out.glob('.*.part'))
        last = newest_good(out)
        assert said.endswith(f'last good snapshot: {last}')
        snapshots = results_dir.snapshots_in(out)
        assert snapshots[0] == last
        assert [results_dir.iteration_of(path) for path in snapshots] == list(range(len(snapshots), 0, -1))
        for name in ('log.json', 'log.jsonl', 'config.yml'):
            kill_training.content(out / name)


def test_folder_that_becomes_read_only(tmp_path):
    config = write_config(tmp_path, {**PLAIN, 'iteration': 100000})
    with mounted(tmp_path / 'disk', 'size=64m') as disk:
        out = disk / 'out'
        process = start(config, out)
        children.wait_until((out / 'snapshot_iter_1').exists, process)
        # Refused while a file is open for writing.
        children.wait_until(lambda: children.run('mount', '-o', 'remount,ro', disk)[0] == 0, process)
        said = stopped_by_disk(process, out, 'Read-only file system')
        assert said.endswith(f'last good snapshot: {newest_good(out)}')
        before = files_in(out)
        status, _, stderr = children.finish(start(config, out, '--resume', 'auto'))
        assert status == 2 and len(errors_of(stderr)) == 1 and 'Read-only file system' in stderr
        assert files_in(out) == before


# Numbers that are none

@pytest.mark.parametrize('kernels', [True, pytest.param(False, marks=pytest.mark.long)])
def test_nan_stops_training_with_iteration_norms_and_snapshot(tmp_path, kernels):
    config = write_config(tmp_path, {**PLAIN, 'cpu_kernels': kernels, 'iteration': 2})
    out = tmp_path / 'out'
    assert run(train.main, '--config', config, '--results_dir', out, '--gpu', -1) == 0
    before = {name: content for name, content in files_in(out).items() if 'iter_' in name}
    status, _, stderr = children.finish(start(
        config, out, '--resume', 'auto', '--set', 'iteration=9', '--set', 'adam.alpha=1e38',
        '--set', 'iteration_decay_start=9'))
    assert status == 1, stderr
    assert 'Traceback' not in stderr
    first, gen, dis = errors_of(stderr)[-3:]  # after NumPy's own warnings
    assert first.startswith('train.py: error: ')
    assert ' is not finite at iteration 4; last good snapshot: ' in first
    assert first.endswith(f'{out}/snapshot_iter_3')  # alpha changes after the first iteration
    assert gen.startswith('spectral norms, ResNetGenerator: ') and ' l1 ' in gen
    assert dis.startswith('spectral norms, SNResNetProjectionDiscriminator: ') and ' block1/c1 ' in dis
    after = files_in(out)
    assert {name: after[name] for name in before} == before


def test_a_model_that_is_not_finite_is_not_written(three, tmp_path):
    config, out = three
    trainer = train.build_trainer(train.load_config(config), str(config), train.get_device(-1), tmp_path)
    trainer.updater.dis.block1.c1.u[0, 0] = np.inf
    trainer.updater.iteration = 5
    with pytest.raises(ArithmeticError, match='block1/c1/u is not finite at iteration 5'):
        trainer.get_extension('SaveSnapshots')(trainer)
    assert not list(tmp_path.iterdir())


# Kills; `benchmarks/kill_training.py` makes hundreds

@pytest.mark.long
def test_killed_training_ends_as_an_undisturbed_one(tmp_path):
    figures = kill_training.kill_and_compare(tmp_path, kills=6, iterations=20, say=lambda line: None)
    assert figures['kills'] >= 3
    assert figures['files_compared'] > 20
    json.dumps(figures)


def test_a_training_killed_while_it_writes_goes_on(three, tmp_path):
    """The kill that costs most: half a snapshot is there beside the whole ones."""
    config, out = copied(three, tmp_path)
    for name in ('snapshot_iter_3', 'ResNetGenerator_3.npz', 'SNResNetProjectionDiscriminator_3.npz'):
        (out / f'.{name}.abcdefgh.part').write_bytes((out / name).read_bytes()[:2000])
        (out / name).unlink()
    assert train_on(config, out) == 0
    kill_training.compare(three[1], out)


def test_the_comparison_sees_a_difference(three, tmp_path):
    _, out = copied(three, tmp_path)
    kill_training.compare(three[1], out)
    for path in (out / 'snapshot_iter_3', out / 'ResNetGenerator_3.npz', out / 'log.jsonl'):
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"iteration": 3', b'"iteration": 4') if 'log' in path.name else
                         path.with_name(path.name.replace('3', '2')).read_bytes())
        with pytest.raises(AssertionError, match=f'{path.stem}.* differs'):
            kill_training.compare(three[1], out)
        path.write_bytes(content)
