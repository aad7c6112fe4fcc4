"""The runner: workers as processes of their own, interrupted, killed, failing, and two at a time."""
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import experiments
from source.experiments.budget import load_budget
from source.experiments.catalogue import Variant
from source.experiments.cell import Cell
from source.experiments.records import COLUMNS, Results, identity, read_record, write_record
from source.experiments.run_cell import write_job
from source.experiments.sweep import cost, duration, run_cells, worker_command
from source.miscs.lock import claimed
from tests.experiments.ending import TRACED, wait
from tests.narrow import run

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = {'iteration': 2, 'ch': 2, 'batchsize': 4, 'n_images': 100, 'splits': 2}
OPTIONS = [text for name, value in TINY.items() for text in (f'--{name}', value)] + ['--gpu', -1, '--threads', 1]
TIMES = 'seconds', 'seconds_per_100_updates', 'ended'


def tiny(variant, seed=0, **changes):
    return Cell(variant, seed, load_budget('digits', **{**TINY, **changes})[0])


def sweep(results, cells, **options):
    lines = []
    left = run_cells(cells, results, [*worker_command(), '--gpu', '-1'], threads=1, tell=lines.append, **options)
    return left, lines


def contents(results):
    """Records without what a clock gave, and samples."""
    records = {path.name: {k: v for k, v in read_record(path).items() if k not in TIMES}
               for path in (results.root / 'records').glob('cnn-*.json')}
    return records, {path.name: path.read_bytes() for path in (results.root / 'samples').glob('cnn-*.png')}


def table(results):
    with open(results.csv, newline='') as file:
        return list(csv.DictReader(file))


CELLS = [tiny(Variant('cnn', method, 'C'), seed) for seed in (0, 1) for method in ('spectral', 'weight_clipping')]


@pytest.fixture(scope='module')
def one_by_one(tmp_path_factory):
    results = Results(tmp_path_factory.mktemp('one_by_one') / 'comparison')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        left, lines = sweep(results, CELLS)
    assert left == 0
    return results, lines


def test_lines_and_order(one_by_one):
    _, lines = one_by_one
    assert [line.split(': ')[0] for line in lines] == [f'[{k}/4] {cell.name}' for k, cell in enumerate(CELLS, 1)]
    assert all('IS 1.0' in line and 'FID ' in line for line in lines)
    assert 'about ' in lines[0] and lines[-1].endswith('; 0 left')


def test_csv(one_by_one):
    results, _ = one_by_one
    rows = table(results)
    assert tuple(rows[0]) == COLUMNS
    assert [(row['method'], row['seed']) for row in rows] == [
        ('spectral', '0'), ('spectral', '1'), ('weight_clipping', '0'), ('weight_clipping', '1')]
    record = read_record(results.record(CELLS[0]))
    row = rows[0]
    assert float(row['fid']) == pytest.approx(record['scores']['fid'], rel=1e-5)
    assert float(row['is_mean']) == pytest.approx(record['scores']['is_mean'], rel=1e-5)
    assert (row['dataset'], row['network'], row['setting'], row['iteration'], row['ch'], row['batchsize'],
            row['status'], row['iterations_done'], row['feature_network']) == (
        'digits', 'cnn', 'C', '2', '2', '4', 'finished', '2', 'digits')
    assert row['protocol'] == '100 images in 2 splits, FID against all training images'


def test_two_at_a_time_are_the_same(one_by_one, tmp_path):
    results = Results(tmp_path / 'comparison')
    left, lines = sweep(results, CELLS, processes=2)
    assert left == 0 and len(lines) == 4
    assert contents(results) == contents(one_by_one[0])


def test_finished_cells_are_not_run_again(one_by_one):
    """Records alone are enough: in another checkout there are no folders of cells."""
    results, _ = one_by_one
    before = contents(results)
    left = run_cells(CELLS, results, ['false'], tell=pytest.fail)
    assert left == 0 and contents(results) == before


def test_killed_worker_is_gone_on_with(one_by_one, tmp_path):
    """SIGKILL after a snapshot; the next sweep ends with the record of a run that was not killed."""
    cell = tiny(Variant('cnn', 'gan_gp', 'C'), iteration=30)
    whole, killed = Results(tmp_path / 'whole'), Results(tmp_path / 'killed')
    assert sweep(whole, [cell])[0] == 0
    folder = write_job(killed, cell, threads=1)
    environment = {**os.environ, **dict.fromkeys(('NUMBA_NUM_THREADS', 'OMP_NUM_THREADS'), '1')}
    process = subprocess.Popen([*worker_command(), str(folder), '--gpu', '-1'], env=environment)
    while not list(folder.glob('snapshot_iter_*')):
        assert process.poll() is None
        time.sleep(.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not killed.record(cell).exists()
    assert sweep(killed, [cell])[0] == 0
    assert contents(killed) == contents(whole)


def test_a_cell_that_diverges_and_the_next(tmp_path):
    results = Results(tmp_path / 'comparison')
    cells = [tiny(Variant('cnn', 'none', 'C', (('alpha', 1e30),)), iteration=8), CELLS[0]]
    left, lines = sweep(results, cells)
    assert left == 0 and ': diverged: ' in lines[0] and 'IS ' in lines[1]
    assert [row['status'].partition(':')[0] for row in table(results)] == ['diverged', 'finished']


def test_a_cell_that_crashes_and_the_next(tmp_path):
    results = Results(tmp_path / 'comparison')
    cells = [tiny(Variant('cnn', 'none', 'C', (('final_scale', -1.),))), CELLS[0]]
    left, lines = sweep(results, cells)
    assert left == 0 and 'crashed: ConfigError: ' in lines[0] and 'IS ' in lines[1]
    record = read_record(results.record(cells[0]))
    assert 'leave no map of ch 2' in record['status'] and '\n' not in record['status']
    assert run_cells(cells, results, ['false'], tell=pytest.fail) == 0
    assert run_cells(cells, results, ['false'], retry_crashed=True, tell=lambda line: None) == 0
    assert 'crashed: ' in read_record(results.record(cells[0]))['status']


def test_worker_that_says_nothing_or_is_killed(tmp_path):
    """A worker killed from outside leaves no record: it may have been the machine's doing."""
    results = Results(tmp_path / 'comparison')
    lines = []
    assert run_cells([CELLS[0]], results, ['bash', '-c', 'kill -9 $$'], tell=lines.append) == 1
    assert lines == ['cnn-spectral-C-seed0: killed by signal 9; left to go on from']
    assert run_cells([CELLS[0]], results, ['bash', '-c', 'echo; echo no luck >&2; exit 7'], tell=lines.append) == 0
    assert read_record(results.record(CELLS[0]))['status'] == 'crashed: no luck'


def test_deadline(tmp_path):
    results = Results(tmp_path / 'comparison')
    assert run_cells(CELLS, results, ['false'], deadline=time.time() - 1, tell=pytest.fail) == 4
    cell = tiny(Variant('cnn', 'none', 'B'), iteration=100000)
    rows, seconds = [], 6
    while not rows:  # on a busy machine a worker may not get to its first iteration at once
        left, lines = sweep(results, [cell], deadline=time.time() + seconds)
        assert left == 1 and lines == ['cnn-none-B-seed0: left to go on from']
        rows, seconds = table(results), 2 * seconds
    row, = rows
    done = int(row['iterations_done'])
    assert row['status'] == f'interrupted at iteration {done}' and 0 < done < 100000
    assert (results.folder(cell) / f'snapshot_iter_{done}').exists()


def test_interrupt_leaves_snapshots(tmp_path):
    """Ctrl-C to the command: both workers leave a snapshot and the command ends with 130."""
    command = [sys.executable, str(ROOT / 'experiments.py'), 'run', 'table2', '--methods', 'none', 'weight',
               '--settings', 'B', '--seeds', '0', '-j', '2', '--results_dir', str(tmp_path / 'comparison'),
               *map(str, OPTIONS), '--iteration', '100000']
    with open(tmp_path / 'stderr', 'wb') as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True, env=TRACED)
    logs = [tmp_path / 'comparison' / 'cells' / f'cnn-{method}-B-seed0' / 'log.json' for method in ('none', 'weight')]
    while not all(log.exists() for log in logs):
        assert process.poll() is None
        time.sleep(.05)
    os.killpg(process.pid, signal.SIGINT)
    assert wait(process, [tmp_path / 'stderr', *(log.with_name('output.txt') for log in logs)]) == 130
    assert all(list(log.parent.glob('snapshot_iter_*')) for log in logs)


def test_cell_that_an_orphaned_worker_trains_is_left_to_it(tmp_path):
    """A sweep that was killed may leave workers behind."""
    results = Results(tmp_path / 'comparison')
    folder = write_job(results, CELLS[0], threads=1)
    with claimed(folder, 'not expected'):
        left, lines = sweep(results, CELLS[:1])
    assert left == 1 and lines == ['cnn-spectral-C-seed0: left to go on from']
    assert (folder / 'output.txt').read_text() == f'{folder}: another process trains this cell\n'


# The command line

def command(tmp_path, *arguments):
    return run(experiments.main, *arguments, '--results_dir', tmp_path / 'comparison')


def test_command(tmp_path, capsys):
    arguments = ['run', 'figure_9', '--seeds', 1, *OPTIONS]
    assert command(tmp_path, *arguments) == 0
    assert '1 of 1 cells are in ' in capsys.readouterr().out
    assert (tmp_path / 'comparison' / 'samples' / 'real_data.png').exists()
    real = read_record(tmp_path / 'comparison' / 'records' / 'real_data.json')
    assert real['protocol'] == '100 held-out images in 1 splits, FID of all against 1437 training images'
    assert command(tmp_path, 'list') == 0
    out = capsys.readouterr().out
    assert 'figure_9        1 of 2 cells' in out and 'table2          1 of 108 cells' in out
    assert 'figure_6        1 of 36 cells' in out and 'figure_12       0 of 36 cells' in out


@pytest.mark.parametrize('arguments, message', [
    (['run', 'table9'], "no experiment 'table9'; known are table2"),
    (['run', 'figure_9', '--iteration', 0], 'iteration: expected at least 1, found 0'),
    (['run', 'figure_9', '-j', 0], '-j: expected at least 1, found 0'),
    (['run', 'figure_9', '--methods', 'batch'], 'no cell of figure_9 has these methods and settings'),
    (['run', 'table8', '--dataset', 'stl10'], 'table8: no network resnet_ac_wgan_gp for stl10'),
    (['run', 'figure_9', '--dataset', 'svhn', '--data_dir', '/nowhere'], '--data_dir /nowhere: no such folder'),
    (['run', 'figure_9', '--feature_network', 'digitz'], "evaluation.network: expected one of digits"),
    (['table'], 'no records'),
    (['figures'], 'no records'),
    (['figures', 'table2'], "no figure 'table2'; there is figure_1"),
])
def test_bad_input_is_told_in_one_line(tmp_path, capsys, arguments, message):
    assert command(tmp_path, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err and err.count('\n') == 1
    assert not (tmp_path / 'comparison' / 'records').exists()


def test_all_says_in_one_line_what_the_data_set_lacks(tmp_path, capsys, monkeypatch):
    trained = []
    monkeypatch.setattr(experiments, 'prepare', lambda *_: None)
    monkeypatch.setattr(experiments, 'run_cells', lambda cells, *_, **options: trained.extend(cells) or 0)
    assert command(tmp_path, 'run', 'all', '--dataset', 'photo_tiles') == 0
    out = capsys.readouterr().out
    assert out.startswith('no network resnet_concat, resnet_projection, resnet_ac_wgan_gp for photo_tiles: without ')
    assert out.count('\n') == 2  # and how many cells there are
    assert {cell.variant.network for cell in trained} == {'cnn', 'resnet', 'resnet_wgan_gp'}


def test_record_of_another_budget_is_refused(tmp_path, capsys):
    results = Results(tmp_path / 'comparison')
    cell = tiny(Variant('cnn', 'spectral', 'C'), iteration=3)
    write_record(results.record(cell), {**identity(cell), 'status': 'finished'})
    assert command(tmp_path, 'run', 'figure_9', '--seeds', 0, *OPTIONS) == 2
    assert 'is of another budget: iteration: expected 2, found 3' in capsys.readouterr().err


def test_two_sweeps_in_one_folder(tmp_path):
    results = Results(tmp_path / 'comparison')

    def second(line):
        with pytest.raises(ValueError, match='another run of experiments.py is at work in this folder'):
            run_cells(CELLS, results, ['false'])
        told.append(line)
    told = []
    run_cells(CELLS[:1], results, ['bash', '-c', 'exit 3'], tell=second)
    assert len(told) == 1


# The estimate

def test_cost():
    """n_dis updates and one of the generator; a penalty costs half as much again."""
    costs = {name: cost(tiny(Variant('cnn', *name.split('-')))) for name in ('none-B', 'none-A', 'gan_gp-A')}
    assert costs == {'none-B': 4, 'none-A': 12, 'gan_gp-A': 17}
    assert cost(tiny(Variant('cnn', 'weight', 'D', (('n_dis', 20), ('updates', 2.))))) == 84


def test_duration():
    assert [duration(s) for s in (5., 61., 3599., 7500.)] == ['5 s', '1 min', '1 h 00 min', '2 h 05 min']
