"""Figure 10: its cells are trained alone and bare, in one go; only they are drawn."""
from pathlib import Path

import experiments
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.figures import draw_figures
from source.experiments.records import Results, read_record
from source.experiments.run_cell import run_cell, write_job
from source.experiments.sweep import LEFT, run_cells
from tests.children import ROOT
from tests.experiments.figures.drawn import bars_of_figure_10
from tests.experiments.made_records import change, make_records
from tests.experiments.test_run_cell import tiny
from tests.narrow import run

import pytest

TIMED = EXPERIMENTS['figure_10'].variants
ALONE = 'timed alone; `python experiments.py run figure_10 --dataset digits --results_dir '


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


def test_nothing_but_training_is_in_the_seconds(tmp_path):
    """Nor is one stopped and gone on with: else they might be of two numbers of threads."""
    cell, asked = tiny(TIMED[3], iteration=6), []
    folder = write_job(Results(tmp_path), cell, threads=1)
    assert run_cell(folder, -1, lambda: len(asked) > 2 or asked.append(True)) is None
    assert not list(folder.glob('snapshot_iter_*'))
    asked.clear()
    record = run_cell(folder, -1, lambda: asked.append(True))
    assert record['iterations_done'] == len(asked) == 6 and record['seconds_per_100_updates'] > 0
    stored = read_record(Results(tmp_path).record(cell), cell)
    names = 'status', 'scores', 'curve', 'spectral_norms', 'protocol', 'threads', 'device'
    assert [stored[name] for name in names] == ['finished', {}, {}, {}, None, 1, 'CPU']
    assert set(stored['log']) == {'iteration', 'loss_gen', 'loss_dis'}


def test_digits():
    """docs/comparison.md has these; timings of the 108 trainings of Table 2, two at a time, made it 1.41 for SN."""
    assert bars_of_figure_10(Results(ROOT / 'results' / 'digits_timing_table2')) == [
        'WGAN-GP 28.2 s (1.50×)', 'WN 22.6 s (1.20×)', 'SN 19.3 s (1.02×)', 'Vanilla 18.8 s (1.00×)']


def test_cells_that_were_not_timed_alone(tmp_path, capsys):
    with pytest.raises(ValueError, match=f'figure_10: left out, as none of its cells in .*digits_table2 was {ALONE}'):
        draw_figures(Results(ROOT / 'results' / 'digits_table2'), tmp_path / 'out', ['figure_10'])
    made = Results(tmp_path / 'comparison')
    make_records(made, ['figure_15'], seeds=(0,))
    assert run(experiments.main, 'figures', '--results_dir', made.root, '--out', tmp_path / 'out') == 0
    out, err = capsys.readouterr()
    assert 'figure_15.png' in out and 'figure_10' not in out
    assert err == (f'figure_10: left out, as none of its cells in {made.root} was {ALONE}{made.root}` makes them\n')


@pytest.mark.parametrize('name, value, found', [('threads', 2, '1 and 2'), ('device', 'GPU', 'CPU and GPU')])
def test_timed_in_two_ways(tmp_path, capsys, name, value, found):
    results = Results(tmp_path / 'comparison')
    cells = make_records(results, ['figure_10'])
    change(results, cells[0].name, **{name: value})
    change(results, cells[1].name, device='CPU')
    assert run(experiments.main, 'figures', '--results_dir', results.root) == 2
    err = capsys.readouterr().err
    assert err.count('\n') == 1 and f'figure_10: {name}: expected the same for all cells, found {found}; ' in err
