"""The runner: what a command leaves, cells that fail or were begun before, its ends, and workers two at a time."""
import contextlib
import csv
import io
import os
import re
import signal
import sys
import time
from pathlib import Path

import experiments
from source.experiments.catalogue import Variant
from source.experiments.records import COLUMNS, Results, read_record
from source.experiments.run_cell import run_cell, write_job
from source.experiments.sweep import LEFT, cost, duration, run_cells, worker_command
from source.miscs.lock import claimed
from tests import children
from tests.experiments.test_run_cell import TINY, tiny, without_times
from tests.narrow import files_in, run

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = [text for name, value in {**TINY, 'iteration': 2}.items() for text in (f'--{name}', value)] + [
    '--gpu', -1, '--threads', 1]
CELLS = [tiny(Variant('cnn', method, 'C'), 1, iteration=2) for method in ('weight_clipping', 'spectral')]
SN, NONE = CELLS[1], Variant('cnn', 'none', 'B')


def command(tmp_path, *arguments):
    return run(experiments.main, *arguments, '--results_dir', tmp_path / 'comparison')


def bash(program):
    return ['bash', '-c', program]  # as a worker; its $0 is the cell's folder


def table(results):
    with open(results.csv, newline='') as file:
        return list(csv.DictReader(file))


def contents(results):
    """Records without what a clock gave, and samples."""
    return ([without_times(read_record(path)) for path in sorted((results.root / 'records').glob('cnn-*.json'))],
            {path.name: path.read_bytes() for path in (results.root / 'samples').glob('cnn-*.png')})


@pytest.fixture(scope='module')
def swept(tmp_path_factory, statistics_cache):
    """(results, output) of a command for CELLS, one after the other."""
    folder, out = tmp_path_factory.mktemp('swept'), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv('SNGAN_CACHE', str(statistics_cache))
        assert command(folder, 'run', 'table2', '--methods', 'weight_clipping', 'spectral', '--settings', 'C',
                       '--seeds', 1, *OPTIONS) == 0
    return Results(folder / 'comparison'), out.getvalue()


def test_what_a_command_says_and_leaves(swept):
    results, out = swept
    lines = out.splitlines()
    assert [line.split(': ')[0] for line in lines[:2]] == [f'[{k}/2] {cell.name}' for k, cell in enumerate(CELLS, 1)]
    assert all(re.search(r': IS 1\.0\d*, FID \d+, \d+ s; ', line) for line in lines[:2])
    assert re.search('; about [0-9]+ s left$', lines[0]) and lines[1].endswith('; 0 left')
    assert lines[2:] == [f'2 of 2 cells are in {results.csv}']
    rows = table(results)
    assert tuple(rows[0]) == COLUMNS and [row['method'] for row in rows] == ['spectral', 'weight_clipping']
    record, row = read_record(results.record(SN)), rows[0]
    for score in ('fid', 'is_mean'):
        assert float(row[score]) == pytest.approx(record['scores'][score], rel=1e-5)
    assert list(row.values())[:11] == [
        'digits', 'cnn', 'spectral', 'C', '', '1', '2', '2', '4', 'finished', '2']
    assert (row['feature_network'], row['protocol']) == (
        'digits', '100 images in 2 splits, FID against all training images')
    assert record['threads'] == 1 and results.samples('real_data').exists()
    real = read_record(results.record_of('real_data'))
    assert real['protocol'] == '100 held-out images in 1 splits, FID of all against 1437 training images'


def test_finished_cells_are_listed_and_not_run_again(swept, capsys, monkeypatch):
    """Records alone are enough: in another checkout there are no folders of cells."""
    results, _ = swept
    before = contents(results)
    assert run_cells(CELLS, results, ['false'], tell=pytest.fail) == 0 and contents(results) == before
    monkeypatch.setattr(experiments, 'prepare', pytest.fail)
    arguments = '--seeds', 1, 1, *OPTIONS, '--results_dir', results.root
    assert run(experiments.main, 'run', 'figure_9', *arguments) == 0
    assert capsys.readouterr().out == f'1 of 1 cells are in {results.csv}\n'  # a seed given twice is one cell
    assert run(experiments.main, 'run', 'figure_9', *arguments, '--iteration', 3) == 2
    assert 'is of another budget: iteration: expected 3, found 2' in capsys.readouterr().err
    assert run(experiments.main, 'list', '--results_dir', results.root) == 0
    out = capsys.readouterr().out
    assert 'figure_9        1 of 2 cells' in out and 'table2          2 of 108 cells' in out
    assert 'figure_6        1 of 36 cells' in out and 'figure_12       0 of 36 cells' in out


# Failures

def test_cells_that_crash_and_the_next(tmp_path):
    results, lines = Results(tmp_path / 'comparison'), []
    worker = bash('case $0 in *clipping*) echo no luck; echo >&2; exit 7;; esac; exit 9')
    assert run_cells(CELLS, results, worker, tell=lines.append) == 0
    assert lines == ['[1/2] cnn-weight_clipping-C-seed1: crashed: no luck; 1 left',
                     '[2/2] cnn-spectral-C-seed1: crashed: no output; 0 left']
    assert [row['status'] for row in table(results)] == ['crashed: no output', 'crashed: no luck']
    assert run_cells(CELLS, results, ['false'], tell=pytest.fail) == 0
    assert run_cells(CELLS, results, bash('exit 7'), retry_crashed=True, tell=lines.append) == 0
    assert len(lines) == 4 and table(results)[1]['status'] == 'crashed: no luck'  # what it said before
    assert run_cells(CELLS[:1], results, bash(f'exit {LEFT}'), retry_crashed=True, tell=lines.append) == 1
    assert lines[-1] == 'cnn-weight_clipping-C-seed1: left to go on from'  # by the next sweep, unasked
    assert run_cells(CELLS[:1], results, bash('kill -9 $$'), tell=lines.append) == 1  # by the machine, perhaps
    assert lines[-1] == 'cnn-weight_clipping-C-seed1: killed by signal 9; left to go on from'
    assert not results.record(CELLS[0]).exists()


@pytest.fixture
def handlers():
    """Those of signals, which a worker changes."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


def test_worker(tmp_path, capsys, handlers):
    """Its status tells a cell that ended from one that is left, and that from a crash."""
    results = Results(tmp_path)
    cells = tiny(NONE, iteration=1), tiny(NONE, 1), tiny(Variant('cnn', 'none', 'C', (('final_scale', -1.),)))
    done, left, crashed = (write_job(results, cell, threads=1) for cell in cells)
    assert run(experiments.main, 'cell', done, '--gpu', -1, '--deadline', time.time() + 1e6) == 0
    assert read_record(results.record(cells[0]))['status'] == 'finished'
    assert run(experiments.main, 'cell', left, '--gpu', -1, '--deadline', time.time() - 1) == LEFT
    assert not results.record(cells[1]).exists()
    capsys.readouterr()
    with claimed(left, 'not expected'):  # as by a worker that a killed sweep left behind
        assert run(experiments.main, 'cell', left) == LEFT
    assert capsys.readouterr().err == f'{left}: another process trains this cell\n'
    assert run(experiments.main, 'cell', crashed, '--gpu', -1) == 1
    status = read_record(results.record(cells[2]))['status']
    assert status.startswith('crashed: ConfigError: ') and 'leave no map of ch 2' in status and '\n' not in status
    assert capsys.readouterr().err.startswith('Traceback')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_worker_that_is_asked_to_stop(tmp_path, monkeypatch, handlers, number):
    def train(folder, gpu, should_stop):
        assert not should_stop()
        signal.raise_signal(number)
        assert should_stop()
    monkeypatch.setattr(experiments, 'run_cell', train)
    assert run(experiments.main, 'cell', tmp_path) == LEFT


# Begun before

@pytest.fixture(scope='module')
def begun(tmp_path_factory, statistics_cache):
    """Results with a cell of 6 iterations that was stopped after 2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(statistics_cache))
        results, asked = Results(tmp_path_factory.mktemp('begun') / 'comparison'), []
        folder = write_job(results, tiny(NONE, iteration=6))
        assert run_cell(folder, -1, lambda: len(asked) > 1 or asked.append(True)) is None
    return results


@pytest.mark.parametrize('change, said', [
    ({'batchsize': 16}, 'batchsize: expected 16, found 4'), ({'iteration': 8}, 'iteration: expected 8, found 6'),
    ({'n_images': 200}, 'n_images: expected 200, found 100')])
def test_cell_begun_under_another_budget_is_refused(begun, change, said):
    """Else three quarters of a cell might be trained with one batch size and the record say the other."""
    folder = begun.root / 'cells' / 'cnn-none-B-seed0'
    before = files_in(folder)
    with pytest.raises(ValueError, match=f'cells/cnn-none-B-seed0: is of another budget: {said}'):
        run_cells([tiny(NONE, **{'iteration': 6, **change})], begun, ['false'], tell=pytest.fail)
    assert files_in(folder) == before


def test_after_the_deadline_nothing_starts(begun, capsys):
    cells = [tiny(NONE, iteration=6), tiny(NONE, 1)]
    assert run_cells(cells, begun, ['false'], deadline=time.time() - 1, tell=pytest.fail) == 2
    row, = table(begun)
    assert row['status'] == 'interrupted at iteration 2' and row['iterations_done'] == '2'
    arguments = 'run', 'figure_9', *OPTIONS, '--budget_seconds', 0, '--results_dir', begun.root
    assert run(experiments.main, *arguments) == LEFT
    assert capsys.readouterr().out == f'0 of 2 cells are in {begun.csv}; 2 left: give the same command again\n'


def test_two_sweeps_in_one_folder(tmp_path):
    (tmp_path / 'cells').mkdir()
    with claimed(tmp_path / 'cells', 'not expected'), pytest.raises(
            ValueError, match='another run of experiments.py is at work in this folder'):
        run_cells(CELLS, Results(tmp_path), ['false'])


# Ends

def test_interrupted_sweep_asks_its_workers_to_leave_a_snapshot(tmp_path):
    """The first worker ends once the second is ready; what tells so gets Ctrl-C."""
    results, lines = Results(tmp_path / 'comparison'), []
    other, deadline = results.folder(SN) / 'output.txt', time.time() + 1e6
    worker = bash(f"""case $0 in *clipping*) until grep -q ready {other}; do sleep .01; done; exit 3;; esac
        trap "echo asked; exit 3" TERM; echo ready $*; while true; do sleep .01; done""")

    def tell(line):
        lines.append(line)
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_cells(CELLS, results, worker, processes=2, deadline=deadline, tell=tell)
    assert lines == ['cnn-weight_clipping-C-seed1: left to go on from']
    assert other.read_text() == f'ready --deadline {deadline}\nasked\n'


def test_closed_output_is_told_and_how_to_go_on(tmp_path, capsys, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(experiments, 'prepare', lambda *_: None)
    monkeypatch.setattr(experiments, 'run_cells', lambda *_, tell, **__: tell('a cell ended'))
    stream = open(writing, 'w')
    monkeypatch.setattr(sys, 'stdout', stream)
    assert command(tmp_path, 'run', 'figure_9') == 141
    assert capsys.readouterr().err == (
        'experiments.py: standard output was closed; give the same command again to go on\n')
    stream.close()  # what waited went nowhere


# The command line

@pytest.mark.parametrize('arguments, message', [
    (['run', 'table9'], "no experiment 'table9'; known are table2"),
    (['run', 'figure_9', '-j', 0], '-j: expected at least 1, found 0'),
    (['run', 'figure_9', '--threads', 0], '--threads: expected at least 1, found 0'),
    (['run', 'figure_9', '--methods', 'batch'], 'no cell of figure_9 has these methods and settings'),
    (['run', 'figure_9', 'table8', '--settings', 'B'], 'no cell of figure_9 table8 has these methods and settings'),
    (['run', 'figure_9', '--methods', 'spectral', 'wgan-gp'],
     '--methods: expected some of weight_clipping, gan_gp, wgan_gp, batch, layer, weight, orthonormal, spectral, none, '
     'found wgan-gp'),
    (['run', 'figure_9', '--settings', 'C', 'Z'], '--settings: expected some of A, B, C, D, E, F, found Z'),
    (['run', 'figure_9', '--seeds', -1], '--seeds: expected 0 to 4294967295, found -1'),
    (['run', 'figure_9', '--seeds', 0, 2 ** 32], '--seeds: expected 0 to 4294967295, found 0 4294967296'),
    (['run', 'figure_9', '--dataset', 'svhn', '--data_dir', '/nowhere'], '--data_dir /nowhere: no such folder'),
    (['run', 'figure_9', '--feature_network', 'digitz'], "evaluation.network: expected one of digits"),
    (['table'], 'no records'),
    (['figures'], 'no records'),
    (['figures', 'table2'], "no figure 'table2'; there is figure_1")])
def test_bad_input_is_told_in_one_line(tmp_path, capsys, arguments, message):
    assert command(tmp_path, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err and err.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_all_says_in_one_line_what_the_data_set_lacks(tmp_path, capsys, monkeypatch):
    trained = []
    monkeypatch.setattr(experiments, 'prepare', lambda *_: None)
    monkeypatch.setattr(experiments, 'run_cells', lambda cells, *_, **options: trained.extend(cells) or 0)
    assert command(tmp_path, 'run', 'all', '--dataset', 'photo_tiles') == 0
    line, _ = capsys.readouterr().out.splitlines()
    assert line.startswith('no network resnet_concat, resnet_projection, resnet_ac_wgan_gp for photo_tiles: without ')
    assert {cell.variant.network for cell in trained} == {'cnn', 'resnet', 'resnet_wgan_gp'}


# The estimate

def test_cost_and_duration():
    """n_dis updates and one of the generator; a penalty costs half as much again."""
    for cell, expected in (('none', 'B'), 4), (('none', 'C'), 4), (('none', 'A'), 12), (('gan_gp', 'A'), 17), (
            ('weight', 'D', (('n_dis', 20), ('updates', 2.))), 84):
        assert cost(tiny(Variant('cnn', *cell), iteration=2)) == expected
    assert [duration(s) for s in (5., 59., 60., 3569., 3571., 7500.)] == [
        '5 s', '59 s', '1 min', '59 min', '1 h 00 min', '2 h 05 min']


# Several processes, and kills

WORKER = [*worker_command(), '--gpu', '-1']


@pytest.mark.long
def test_two_at_a_time_are_the_same(swept, tmp_path):
    results = Results(tmp_path / 'comparison')
    assert run_cells(CELLS, results, WORKER, processes=2, threads=1, tell=lambda line: None) == 0
    assert contents(results) == contents(swept[0])


@pytest.mark.long
def test_killed_worker_is_gone_on_with(tmp_path):
    """SIGKILL after a snapshot; the next sweep ends with the record of a run that was not killed."""
    cell = tiny(Variant('cnn', 'gan_gp', 'C'), iteration=16)
    whole, killed = Results(tmp_path / 'whole'), Results(tmp_path / 'killed')
    folder = write_job(killed, cell, threads=1)
    process = children.start(*WORKER, folder, env=dict.fromkeys(('NUMBA_NUM_THREADS', 'OMP_NUM_THREADS'), '1'))
    children.wait_until(lambda: list(folder.glob('snapshot_iter_*')), process)
    process.kill()
    assert children.finish(process)[0] == -signal.SIGKILL and not killed.record(cell).exists()
    for results in (whole, killed):
        assert run_cells([cell], results, WORKER, threads=1, tell=lambda line: None) == 0
    assert contents(killed) == contents(whole)


@pytest.mark.long
@pytest.mark.parametrize('number, methods', [(signal.SIGINT, ['none', 'weight']), (signal.SIGTERM, ['none'])])
def test_signal_leaves_snapshots_and_no_workers(tmp_path, number, methods):
    """Ctrl-C, which all processes get, and SIGTERM to the command alone."""
    process = children.start(
        sys.executable, ROOT / 'experiments.py', 'run', 'table2', '--methods', *methods, '--settings', 'B', '-j',
        len(methods), '--results_dir', tmp_path, *OPTIONS, '--iteration', 100000, start_new_session=True)
    folders = [tmp_path / 'cells' / f'cnn-{method}-B-seed0' for method in methods]
    children.wait_until(lambda: all((folder / 'log.json').exists() for folder in folders), process)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    status, _, err = children.finish(process)
    assert status == 130, err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert all(list(folder.glob('snapshot_iter_*')) for folder in folders)
