"""Figure 10: its cells are trained alone and bare, in one go; only they are drawn."""
from pathlib import Path

import experiments
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.figures import draw_figures
from source.experiments.records import Results, read_record
from source.experiments.run_cell import run_cell, write_job
from source.experiments.sweep import LEFT, _Sweep, run_cells
from tests.experiments.figures.drawn import caption, drawn
from tests.experiments.made_records import change, make_records
from tests.experiments.test_run_cell import tiny
from tests.narrow import files_in, run

import pytest

RESULTS = Path(__file__).resolve().parents[2] / 'results'
TIMED = EXPERIMENTS['figure_10'].variants
ALONE = 'timed alone; `python experiments.py run figure_10 --dataset digits --results_dir '


# The sweep

@pytest.mark.parametrize('processes', [1, 3])
def test_timed_cells_run_alone(tmp_path, processes):
    """Cells wait until as many have started."""
    plain = [tiny(Variant('cnn', 'none', setting)) for setting in 'ABC']
    timed = [tiny(variant) for variant in TIMED[:2]]
    cells, order = [timed[0], plain[0], plain[1], timed[1], plain[2]], tmp_path / 'order'
    worker = ['bash', '-c', f"""echo + $0 >> {order}
        until [ $(grep -c + {order}) -ge {processes} ]; do sleep .01; done
        echo - $0 >> {order}; exit {LEFT}"""]
    assert run_cells(cells, Results(tmp_path / 'r'), worker, processes, tell=lambda line: None) == 5
    running, seen = set(), []
    for sign, folder in map(str.split, order.read_text().splitlines()):
        running ^= {Path(folder).name}
        if sign == '+':
            seen.append(sorted(running))
    assert seen[3:] == [[cell.name] for cell in timed]
    assert max(map(len, seen[:3])) == processes
    assert {name for names in seen[:3] for name in names} == {cell.name for cell in plain}


def test_nothing_starts_beside_a_timed_cell(tmp_path):
    """Were one first in the queue, as after a change of the order."""
    sweep = _Sweep([], Results(tmp_path), [], 1, None, None, None, {})
    sweep.processes = 3
    timed, plain = tiny(TIMED[0]), tiny(Variant('cnn', 'none', 'A'))
    for running, cell, may in (({}, timed, True), ({plain: 0}, timed, False), ({timed: 0}, timed, False),
                               ({timed: 0}, plain, False), ({plain: 0}, plain, True)):
        sweep.running = running
        assert sweep._may_start(cell) is may


# A cell

def test_nothing_but_training_is_in_the_seconds(tmp_path):
    """Nor is one stopped and gone on with: else they might be of two numbers of threads."""
    cell = tiny(TIMED[3], iteration=6)
    folder = write_job(Results(tmp_path), cell, threads=1)
    asked = []
    assert run_cell(folder, -1, lambda: len(asked) > 2 or asked.append(True)) is None
    assert not list(folder.glob('snapshot_iter_*'))
    asked.clear()
    record = run_cell(folder, -1, lambda: asked.append(True))
    assert record['iterations_done'] == len(asked) == 6
    assert (record['status'], record['scores'], record['curve'], record['spectral_norms'], record['protocol']) == (
        'finished', {}, {}, {}, None)
    assert set(record['log']) == {'iteration', 'loss_gen', 'loss_dis'}
    assert record['seconds_per_100_updates'] > 0 and (record['threads'], record['device']) == (1, 'CPU')
    assert read_record(Results(tmp_path).record(cell), cell)['scores'] == {}


# The figure

def bars(results):
    axis = drawn(results, 'figure_10')[0, 0]
    return [(tick.get_text(), text.get_text()) for tick, text in zip(axis.get_xticklabels(), axis.texts, strict=True)]


def test_digits(monkeypatch, capsys):
    """docs/comparison.md has these, and they need no further run; timings of the 108 trainings of Table 2, two at a
    time, made it 1.41 for SN."""
    results = Results(RESULTS / 'digits_timing_table2')
    assert bars(results) == [
        ('WGAN-GP', '28.2 s (1.50×)'), ('WN', '22.6 s (1.20×)'), ('SN', '19.3 s (1.02×)'),
        ('Vanilla', '18.8 s (1.00×)')]
    monkeypatch.setattr(experiments, 'prepare', pytest.fail)
    monkeypatch.setattr(experiments, 'run_cells', lambda cells, results, *_, **options: sum(
        not results.record(cell).exists() for cell in cells))
    assert run(experiments.main, 'run', 'figure_10', '--iteration', 60, '--results_dir', results.root) == 0
    assert '8 of 8 cells' in capsys.readouterr().out


def test_cells_that_were_not_timed_alone(tmp_path, capsys):
    with pytest.raises(ValueError, match=f'figure_10: left out, as none of its cells in .*digits_table2 was {ALONE}'):
        draw_figures(Results(RESULTS / 'digits_table2'), tmp_path / 'out', ['figure_10'])
    made = Results(tmp_path / 'comparison')
    make_records(made, ['figure_15'], seeds=(0,))
    before = files_in(tmp_path)
    arguments = 'figures', '--results_dir', made.root, '--out', tmp_path / 'out'
    assert run(experiments.main, *arguments, 'figure_10') == 2
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1 and ALONE in err and files_in(tmp_path) == before
    assert run(experiments.main, *arguments) == 0
    out, err = capsys.readouterr()
    assert 'figure_15.png' in out and 'figure_10' not in out and not (tmp_path / 'out' / 'figure_10.png').exists()
    assert err == (f'figure_10: left out, as none of its cells in {made.root} was {ALONE}{made.root}` makes them\n')


def test_seconds_of_other_cells_are_not_mixed_in(tmp_path):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_10'])
    before = bars(results)
    for cell in make_records(results, ['figure_15']):
        change(results, cell.name, seconds_per_100_updates=1000.)
    assert bars(results) == before
    text = caption(results, 'figure_10')
    assert 'each cell timed alone, threads: 1;' in text and '100 generator updates, batch 32, seeds 0, 1.' in text


@pytest.mark.parametrize('name, value, found', [('threads', 2, '1 and 2'), ('device', 'GPU', 'CPU and GPU')])
def test_timed_in_two_ways(tmp_path, capsys, name, value, found):
    results = Results(tmp_path / 'comparison')
    cells = make_records(results, ['figure_10'])
    change(results, cells[0].name, **{name: value})
    change(results, cells[1].name, device='CPU')
    assert run(experiments.main, 'figures', '--results_dir', results.root) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and f'figure_10: {name}: expected the same for all cells, found {found}; ' in err
