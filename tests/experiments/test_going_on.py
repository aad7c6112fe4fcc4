"""What a sweep finds of an earlier one: cells begun under another budget, crashes tried again, and how it ends."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import experiments
from source.experiments.catalogue import Variant
from source.experiments.records import Results
from source.experiments.run_cell import run_cell, write_job
from source.experiments.sweep import LEFT, run_cells
from tests.experiments.ending import TRACED, wait
from tests.experiments.test_run_cell import tiny
from tests.narrow import run

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('change, said', [
    ({'batchsize': 16}, 'batchsize: expected 16, found 4'), ({'iteration': 8}, 'iteration: expected 8, found 6'),
    ({'n_images': 200}, 'n_images: expected 200, found 100')])
def test_cell_begun_under_another_budget_is_refused(tmp_path, change, said):
    """Else three quarters of a cell might be trained with one batch size and the record say the other."""
    results, variant = Results(tmp_path / 'comparison'), Variant('cnn', 'none', 'B')
    begun = tiny(variant, iteration=6)
    folder = write_job(results, begun)
    asked = []
    assert run_cell(folder, -1, lambda: len(asked) > 1 or asked.append(True)) is None
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in ('.yml', '.json')}
    with pytest.raises(ValueError, match=f'cells/cnn-none-B-seed0: is of another budget: {said}'):
        run_cells([tiny(variant, **{'iteration': 6, **change})], results, ['false'], tell=pytest.fail)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in ('.yml', '.json')} == before


def test_crash_tried_again_and_left_has_no_record(tmp_path):
    """The next sweep shall go on with it unasked."""
    results, cell = Results(tmp_path / 'comparison'), tiny(Variant('cnn', 'none', 'B'))
    assert run_cells([cell], results, ['false'], tell=lambda line: None) == 0
    lines = []
    assert run_cells([cell], results, ['bash', '-c', f'exit {LEFT}'], retry_crashed=True, tell=lines.append) == 1
    assert lines == ['cnn-none-B-seed0: left to go on from'] and not results.record(cell).exists()


@pytest.mark.slow
def test_sigterm_ends_the_workers_too(tmp_path):
    command = [sys.executable, str(ROOT / 'experiments.py'), 'run', 'figure_9', '--results_dir', str(tmp_path / 'r'),
               '--ch', '2', '--batchsize', '4', '--n_images', '100', '--splits', '2', '--gpu', '-1', '--seeds', '0',
               '--iteration', '100000']
    folder = tmp_path / 'r' / 'cells' / 'cnn-spectral-C-seed0'
    with open(tmp_path / 'stderr', 'wb') as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=TRACED)
    while not (folder / 'log').exists():
        assert process.poll() is None
        time.sleep(.1)
    worker, = subprocess.run(['pgrep', '-P', str(process.pid)], capture_output=True, text=True).stdout.split()
    process.send_signal(signal.SIGTERM)
    assert wait(process, [tmp_path / 'stderr', folder / 'output.txt']) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(worker), 0)
    assert list(folder.glob('snapshot_iter_*'))


@pytest.mark.parametrize('arguments, message', [
    (['--methods', 'spectral', 'wgan-gp'], '--methods: expected some of weight_clipping, .*, found wgan-gp'),
    (['--settings', 'C', 'Z'], '--settings: expected some of A, B, C, D, E, F, found Z'),
    (['--seeds', '-1'], r'--seeds: expected 0 to 4294967295, found -1')])
def test_what_is_unknown_is_refused(tmp_path, capsys, arguments, message):
    import re
    assert run(experiments.main, 'run', 'figure_9', '--results_dir', tmp_path / 'r', *arguments) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / 'r').exists()


def test_status_says_whether_cells_are_left(tmp_path, capsys):
    """A seed given twice is one cell."""
    options = ['--ch', 2, '--batchsize', 4, '--n_images', 100, '--splits', 2, '--gpu', -1, '--iteration', 2]
    command = ['run', 'figure_9', '--results_dir', tmp_path / 'r', '--seeds', 0, 0, *options]
    assert run(experiments.main, *command, '--budget_seconds', 0) == LEFT
    assert '0 of 1 cells' in capsys.readouterr().out
    assert run(experiments.main, *command) == 0
    assert '1 of 1 cells' in capsys.readouterr().out


def test_closed_output_is_told_and_how_to_go_on(tmp_path, capsys, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(experiments, 'prepare', lambda *_: None)
    monkeypatch.setattr(experiments, 'run_cells', lambda *_, tell, **__: tell('a cell ended'))
    stream = open(writing, 'w')
    monkeypatch.setattr(sys, 'stdout', stream)
    assert run(experiments.main, 'run', 'figure_9', '--results_dir', tmp_path) == 141
    assert capsys.readouterr().err == (
        'experiments.py: standard output was closed; give the same command again to go on\n')
    stream.close()  # what waited went nowhere


def test_figures_go_beside_the_results(tmp_path, capsys):
    from tests.experiments.made_records import make_records
    for name, figures in (('digits_table2', 'digits_figures'), ('another', 'another_figures')):
        make_records(Results(tmp_path / name), ['figure_9'])
        assert run(experiments.main, 'figures', 'figure_9', '--results_dir', tmp_path / name) == 0
        assert (tmp_path / figures / 'figure_9.png').exists()
