"""The runner: what a command leaves, cells that fail or were begun before, and its ends."""
import csv
import os
import re
import shutil
import signal
import sys
import time

import experiments
from source.experiments.catalogue import Variant
from source.experiments.records import COLUMNS, Results, read_record
from source.experiments.run_cell import run_cell, write_job
from source.experiments.sweep import LEFT, cost, duration, run_cells
from source.files.lock import claimed
from source.training.stop_request import StopRequest
from tests import children
from tests.children import ROOT
from tests.experiments.test_run_cell import TINY, tiny
from tests.narrow import files_in, run

import pytest

TWO = {**TINY, 'iteration': 2, 'threads': 1, 'gpu': -1}
OPTIONS = [text for name, value in TWO.items() for text in (f'--{name}', value)]
CELLS = [tiny(Variant('cnn', method, 'C'), 1, iteration=2) for method in ('weight_clipping', 'spectral')]
SN, NONE = CELLS[1], Variant('cnn', 'none', 'B')


def command(tmp_path, *arguments):
    return run(experiments.main, *arguments, '--results_dir', tmp_path / 'comparison')


def bash(program):
    return ['bash', '-c', program]  # as a worker; its $0 is the cell's folder


def table(results):
    return list(csv.DictReader(results.csv.read_text().splitlines()))


def test_what_a_command_says_and_leaves_and_the_same_again(tmp_path, capsys, monkeypatch):
    """Finished cells are not run again; records alone are enough: in another checkout there are no folders of cells."""
    results = Results(tmp_path / 'comparison')
    cells = '--methods', 'weight_clipping', 'spectral', '--settings', 'C', '--seeds', 1
    assert command(tmp_path, 'run', 'table2', *cells, *OPTIONS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(': ')[0] for line in lines[:2]] == [f'[{k}/2] {cell.name}' for k, cell in enumerate(CELLS, 1)]
    assert all(re.search(r': IS 1\.0\d*, FID \d+, \d+ s; ', line) for line in lines[:2])
    assert re.search('; about [0-9]+ s left$', lines[0]) and lines[1].endswith('; 0 left')
    assert lines[2:] == [f'2 of 2 cells are in {results.csv}']
    row, other = table(results)
    assert tuple(row) == COLUMNS and other['method'] == 'weight_clipping'
    record = read_record(results.record(SN))
    for score in ('fid', 'is_mean'):
        assert float(row[score]) == pytest.approx(record['scores'][score], rel=1e-5)
    assert list(row.values())[:11] == ['digits', 'cnn', 'spectral', 'C', '', '1', '2', '2', '4', 'finished', '2']
    assert list(row.values())[-2:] == ['digits', '100 images in 2 splits, FID against all training images']
    assert record['threads'] == 1 and results.samples('real_data').exists()
    shutil.rmtree(results.root / 'cells')
    before = files_in(results.root)
    monkeypatch.setattr(experiments, 'prepare', pytest.fail)
    assert run_cells(CELLS, results, ['false'], tell=pytest.fail) == 0
    assert command(tmp_path, 'run', 'figure_9', '--seeds', 1, 1, *OPTIONS) == 0
    assert capsys.readouterr().out == f'1 of 1 cells are in {results.csv}\n'  # a seed given twice is one cell
    assert command(tmp_path, 'run', 'figure_9', '--seeds', 1, *OPTIONS, '--iteration', 3) == 2
    assert 'is of another budget: iteration: expected 3, found 2' in capsys.readouterr().err
    assert files_in(results.root) == before


def test_cells_that_crash_and_the_next(tmp_path):
    results, lines = Results(tmp_path / 'comparison'), []
    worker = bash('case $0 in *clipping*) echo no luck; echo >&2; exit 7;; esac; exit 9')
    assert run_cells(CELLS, results, worker, tell=lines.append) == 0
    assert lines == ['[1/2] cnn-weight_clipping-C-seed1: crashed: no luck; 1 left',
                     '[2/2] cnn-spectral-C-seed1: crashed: no output; 0 left']
    assert [(row['status'], row['iterations_done']) for row in table(results)] == [
        ('crashed: no output', '0'), ('crashed: no luck', '0')]
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
    """Those of signals, which a worker changes, are put back."""
    with StopRequest().listening():
        yield


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


def test_cell_of_6_iterations_that_was_stopped_after_2(tmp_path, capsys):
    """It is refused under another budget and beside another sweep, and does not start after the deadline."""
    results, cell, asked = Results(tmp_path / 'comparison'), tiny(NONE, iteration=6), []
    folder = write_job(results, cell)
    assert run_cell(folder, -1, lambda: len(asked) > 1 or asked.append(True)) is None
    before = files_in(folder)
    with pytest.raises(ValueError, match='cells/cnn-none-B-seed0: is of another budget: batchsize: expected 16,'):
        run_cells([tiny(NONE, iteration=6, batchsize=16)], results, ['false'], tell=pytest.fail)
    with claimed(folder.parent, 'not expected'), pytest.raises(
            ValueError, match='another run of experiments.py is at work in this folder'):
        run_cells(CELLS, results, ['false'])
    assert files_in(folder) == before
    assert run_cells([cell, tiny(NONE, 1)], results, ['false'], deadline=time.time() - 1, tell=pytest.fail) == 2
    row, = table(results)
    assert row['status'] == 'interrupted at iteration 2' and row['iterations_done'] == '2'
    assert run_cells([cell], results, bash('exit 9'), threads=3, tell=lambda line: None) == 0
    crashed = read_record(results.record(cell))
    assert (crashed['status'], crashed['iterations_done'], crashed['threads']) == ('crashed: no output', 2, 3)
    assert command(tmp_path, 'run', 'figure_9', *OPTIONS, '--budget_seconds', 0) == LEFT
    assert capsys.readouterr().out == f'0 of 2 cells are in {results.csv}; 2 left: give the same command again\n'


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


@pytest.mark.parametrize('arguments, message', [
    (['run', 'table9'], "no experiment 'table9'; known are table2"),
    (['run', 'figure_9', '-j', 0], '-j: expected at least 1, found 0'),
    (['run', 'figure_9', '--threads', -2], '--threads: expected at least 1, found -2'),
    (['run', 'figure_9', '--methods', 'batch'], 'no cell of figure_9 has these methods and settings'),
    (['run', 'figure_9', 'table8', '--settings', 'B'], 'no cell of figure_9 table8 has these methods and settings'),
    (['run', 'figure_9', '--methods', 'spectral', 'wgan-gp'], '--methods: expected some of weight_clipping, gan_gp, '),
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


def test_what_the_data_set_lacks_and_closed_output_are_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(experiments, 'prepare', lambda *_: None)
    monkeypatch.setattr(experiments, 'run_cells', lambda cells, *_, tell, **__: tell('a cell ended') or len(cells))
    assert command(tmp_path, 'run', 'all', '--dataset', 'photo_tiles') == LEFT
    assert capsys.readouterr().out.startswith(
        'no network resnet_concat, resnet_projection, resnet_ac_wgan_gp for photo_tiles: without figure_5, table8 and '
        'parts of figure_13\na cell ended\n0 of 88 cells are in ')
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, 'w') as stream:
        monkeypatch.setattr(sys, 'stdout', stream)
        assert command(tmp_path, 'run', 'figure_9') == 141
    assert capsys.readouterr().err == (
        'experiments.py: standard output was closed; give the same command again to go on\n')


def test_cost_and_duration():
    """n_dis updates and one of the generator; a penalty costs half as much again."""
    options = ('n_dis', 20), ('updates', 2.)
    cells = ('none', 'B'), ('none', 'C'), ('none', 'A'), ('gan_gp', 'A'), ('weight', 'D', options)
    assert [cost(tiny(Variant('cnn', *cell), iteration=2)) for cell in cells] == [4, 4, 12, 17, 84]
    assert [duration(s) for s in (5., 59., 60., 3569., 3571., 7500.)] == [
        '5 s', '59 s', '1 min', '59 min', '1 h 00 min', '2 h 05 min']


@pytest.mark.long
@pytest.mark.parametrize('number, methods', [(signal.SIGINT, ['none', 'weight']), (signal.SIGTERM, ['none'])])
def test_signal_leaves_snapshots_and_no_workers(tmp_path, number, methods):
    """Ctrl-C, which all processes get, and SIGTERM to the command alone."""
    cells = 'table2', '--methods', *methods, '--settings', 'B', '-j', len(methods), '--results_dir', tmp_path
    process = children.start(sys.executable, ROOT / 'experiments.py', 'run', *cells, *OPTIONS, '--iteration', 100000,
                             start_new_session=True)
    folders = [tmp_path / 'cells' / f'cnn-{method}-B-seed0' for method in methods]
    children.wait_until(lambda: all((folder / 'log.json').exists() for folder in folders), process)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    status, _, err = children.finish(process)
    assert status == 130, err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert all(list(folder.glob('snapshot_iter_*')) for folder in folders)
