"""What is drawn, from which of a folder's records, and what is said of the others."""
import experiments
from source.experiments.catalogue import EXPERIMENTS
from source.experiments.figures import DRAWN, draw_figures
from source.experiments.records import Results, identity, write_record
from tests.experiments.made_records import make_records
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image


def test_every_figure_is_drawn(results, tmp_path):
    paths = draw_figures(results, tmp_path)
    assert [path.stem for path in paths] == list(DRAWN) == [name for name in EXPERIMENTS if name.startswith('figure_')]
    for path in paths:
        with Image.open(path) as image:
            assert min(image.size) > 400 and np.asarray(image.convert('L')).std() > 10


def test_figures_that_were_not_run(tmp_path):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'])
    assert [path.stem for path in draw_figures(results, tmp_path / 'out', tell=pytest.fail)] == [
        'figure_1', 'figure_2', 'figure_3', 'figure_4', 'figure_6', 'figure_9']
    with pytest.raises(ValueError, match='figure_5: no finished cells in .*; `python experiments.py run figure_5`'):
        draw_figures(results, tmp_path / 'out', ['figure_5'])
    for cell in make_records(results, ['figure_9', 'figure_13', 'figure_15']):
        write_record(results.record(cell), {**identity(cell), 'status': 'diverged: x', 'scores': {}})
        results.samples(cell.name).unlink()
    assert draw_figures(results, tmp_path / 'nothing') == []  # as all diverged
    assert not (tmp_path / 'nothing').exists()


@pytest.mark.parametrize('name, figures', [('digits_table2', 'digits_figures'), ('another', 'another_figures')])
def test_figures_go_beside_the_results_and_those_replaced_are_named(tmp_path, capsys, monkeypatch, name, figures):
    results, folder = Results(tmp_path / name), tmp_path / figures
    make_records(results, ['figure_9'])
    arguments = ['figures', 'figure_3', 'figure_9', '--results_dir', results.root]
    for k in range(2):
        assert run(experiments.main, *arguments) == 0
        assert capsys.readouterr() == (f'{folder}/figure_3.png\n{folder}/figure_9.png\n', k * (
            f'{folder}/figure_3.png and 1 more: replaced; --out names another folder\n'))
    before = files_in(tmp_path)
    monkeypatch.setitem(DRAWN, 'figure_9', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(experiments.main, *arguments)
    assert files_in(tmp_path) == before and capsys.readouterr().err == ''
