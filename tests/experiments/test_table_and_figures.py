"""Table and figures from made-up records."""
import re

import experiments
from source.experiments.catalogue import EXPERIMENTS, METHODS, SETTINGS, Variant
from source.experiments.figures import DRAWN, draw_figures, page
from source.experiments.records import Results, read_records, write_record
from source.experiments.table import best_setting, scores_of_variant
from tests.experiments.made_records import make_records, score_of
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    results = Results(tmp_path_factory.mktemp('made') / 'comparison')
    make_records(results)
    return results


def table(results, capsys, *arguments):
    assert run(experiments.main, 'table', '--results_dir', results.root, *arguments) == 0
    return capsys.readouterr().out


def test_scores_over_seeds(results):
    records = read_records(results)
    variant = Variant('cnn', 'spectral', 'D')
    cells = [record for name, record in records.items() if name.startswith('cnn-spectral-D-seed')]
    values = [record['scores']['is_mean'] for record in cells]
    scores = scores_of_variant(records, variant)
    assert scores.n == 2 and scores.failed == []
    assert scores.mean('is_mean') == pytest.approx(np.mean(values))
    assert scores.std('is_mean') == pytest.approx(abs(values[0] - values[1]) / 2)
    assert scores.mean('recognized') is None and scores.std('recognized') is None


def test_best_setting(results):
    records = read_records(results)
    means = {s: np.mean([records[f'cnn-weight-{s}-seed{k}']['scores']['is_mean'] for k in (0, 1)]) for s in SETTINGS}
    assert best_setting(records, 'weight')[0] == max(means, key=means.get)
    fids = {s: np.mean([records[f'cnn-weight-{s}-seed{k}']['scores']['fid'] for k in (0, 1)]) for s in SETTINGS}
    assert best_setting(records, 'weight', 'fid', -1)[0] == min(fids, key=fids.get)
    assert best_setting(records, 'gan_gp')[0] in 'ABCD'  # E and F have diverged
    assert best_setting({}, 'weight') == (None, None)


def test_table(results, capsys):
    out = table(results, capsys)
    lines = {re.split('  +', line)[0]: line for line in out.splitlines()}
    assert re.search(r'SN-GANs  .* 7\.42 \+- 0\.08 +8\.28 \+- 0\.09 +29\.3 +53\.1$', out, re.M)
    assert re.search(r'Weight clipping .* 6\.41 \+- 0\.11 +7\.57 \+- 0\.10 +42\.6 +64\.2$', out, re.M)
    assert 'E: 2 diverged, F: 2 diverged' in lines['GAN-GP']
    assert re.search(r'w/ Frobenius Norm\. .*collapsed +collapsed$', out, re.M)
    assert re.search(r'^SN-GANs, Eq\.\(17\) .* 8\.22 \+- 0\.05 +9\.10 \+- 0\.04', out, re.M)
    assert "digits, ch 8 (the paper's is 64), 700 generator updates, batch 32; 1000 images in 10 splits" in out
    assert 'seeds 0, 1' in out and 'are not Inception scores' in out
    setting, best = best_setting(read_records(results), 'spectral')
    assert re.search(rf'^SN-GANs +{setting} +{best.mean("is_mean"):.2f} \+- {best.std("is_mean"):.2f} ', out, re.M)


def test_markdown(results, capsys):
    out = table(results, capsys, '--markdown')
    rows = [line for line in out.splitlines() if line.startswith('| ')]
    assert rows[0].startswith('| Method | setting | IS digits | FID digits |')
    assert len({row.count('|') for row in rows[:25]}) == 1
    assert any(row.startswith('| SN-GANs | ') and row.endswith(' | 29.3 | 53.1 |') for row in rows)


def test_table_of_what_there_is(tmp_path, capsys):
    """Without the other tables' own cells only Table 2 is printed; it says what was not run."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_6'], seeds=(0,))
    out = table(results, capsys)
    assert re.search(r'^Orthonormal +not run +-', out, re.M) and 'Table 7' not in out
    assert not re.search(r'^Weight Norm\. +not run', out, re.M)
    assert '+-' not in out.split('paper: IS')[0]


def test_every_figure_is_drawn(results, tmp_path):
    paths = draw_figures(results, tmp_path)
    assert [path.stem for path in paths] == list(DRAWN) == [
        name for name in EXPERIMENTS if name.startswith('figure_')]
    for path in paths:
        with Image.open(path) as image:
            assert min(image.size) > 400 and np.asarray(image.convert('L')).std() > 10


def test_bars_are_the_means(results):
    records = read_records(results)
    own = {(v, r['seed']): r for v in EXPERIMENTS['figure_1'].variants for r in records.values()
           if r['name'].startswith(f'{v.name}-seed')}
    drawn = DRAWN['figure_1'](own, results)
    bars = np.array([(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in drawn.axes[0, 0].patches])
    assert len(bars) == 54 - 2  # GAN-GP E and F have none, but a cross
    for k, setting in enumerate(SETTINGS):
        expected = np.mean([records[f'cnn-spectral-{setting}-seed{k}']['scores']['is_mean'] for k in (0, 1)])
        place = list(METHODS).index('spectral') + (k - 2.5) * .13
        assert bars[np.abs(bars[:, 0] - place).argmin()] == pytest.approx([place, expected])
    crosses = [line for line in drawn.axes[0, 0].lines if line.get_marker() == 'X']
    np.testing.assert_allclose(crosses[0].get_xdata(), [1 + 1.5 * .13, 1 + 2.5 * .13])


def test_curves_are_means_over_seeds(results):
    records = read_records(results)
    own = {(v, r['seed']): r for v in EXPERIMENTS['figure_11'].variants for r in records.values()
           if r['name'].rpartition('-seed')[0] == v.name}
    axis = DRAWN['figure_11'](own, results).axes[0, 0]
    line = next(line for line in axis.lines if line.get_label() == 'SN')
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 5, 10, 20])
    names = [f'{n}-at_most_10000' for n in ('-n_dis_1', '-n_dis_2', '', '-n_dis_10', '-n_dis_20')]
    expected = [np.mean([records[f'cnn-spectral-D{n}-seed{k}']['scores']['is_mean'] for k in (0, 1)]) for n in names]
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_singular_values_are_scaled(results, monkeypatch):
    """By the largest squared one, whatever it is."""
    cells = make_records(results, ['figure_9'])
    record = read_records(results)[cells[0].name]
    scaled = {**record, 'squared_singular_values': {
        name: [4. * v for v in values] for name, values in record['squared_singular_values'].items()}}
    axis = DRAWN['figure_3']({(cells[0].variant, 0): scaled}, results).axes[0, 6]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), record['squared_singular_values']['c7'])


def test_caption_says_dataset_budget_and_seeds(results):
    variant = EXPERIMENTS['figure_9'].variants[0]
    records = {(variant, seed): read_records(results)[f'{variant.name}-seed{seed}'] for seed in (0, 1)}
    assert page.described(records) == (
        'Run on digits, ch 8 (the paper\'s is 64), 700 generator updates, batch 32, seeds 0, 1. Scores are by the '
        'network "digits", not by Inception: not to be compared with the paper\'s numbers.')
    assert page.described(records, scores=False).endswith('seeds 0, 1.')


def test_figures_that_were_not_run(tmp_path, capsys):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'])
    assert [path.stem for path in draw_figures(results, tmp_path / 'out')] == [
        'figure_1', 'figure_2', 'figure_3', 'figure_4', 'figure_6', 'figure_9']
    with pytest.raises(ValueError, match='figure_13: no finished cells in .*; `python experiments.py run figure_13`'):
        draw_figures(results, tmp_path / 'out', ['figure_13'])


def test_figures_that_are_replaced_are_named(tmp_path, capsys, monkeypatch):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'])
    arguments = ['figures', 'figure_3', 'figure_9', '--results_dir', results.root]
    folder = tmp_path / 'comparison_figures'
    for k in range(2):
        assert run(experiments.main, *arguments) == 0
        captured = capsys.readouterr()
        assert captured.out == f'{folder}/figure_3.png\n{folder}/figure_9.png\n'
        assert captured.err == k * (f'{folder}/figure_3.png and 1 more: replaced; --out names another folder\n')
    before = files_in(tmp_path)
    monkeypatch.setitem(DRAWN, 'figure_9', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(experiments.main, *arguments)
    assert files_in(tmp_path) == before and capsys.readouterr().err == ''


def test_only_diverged_cells(tmp_path):
    """Nothing to draw, and no error but for a figure asked for."""
    results = Results(tmp_path / 'comparison')
    for cell in make_records(results, ['figure_9', 'figure_15']):
        record = {name: value for name, value in read_records(results)[cell.name].items()
                  if name in ('name', 'network', 'method', 'setting', 'options', 'seed', 'budget')}
        write_record(results.record(cell), {**record, 'status': 'diverged: x', 'iterations_done': 1, 'scores': {}})
        results.samples(cell.name).unlink()
    assert draw_figures(results, tmp_path / 'out') == []


def test_made_scores_differ():
    """Else a figure that mixes up cells would pass."""
    from source.experiments.budget import load_budget
    from source.experiments.cell import cells_of
    cells = cells_of(EXPERIMENTS['table2'].variants, (0, 1), load_budget('digits')[0])
    assert len({score_of(cell) for cell in cells}) == len(cells)
