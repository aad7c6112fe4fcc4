from types import SimpleNamespace

from source.extensions import curves

import numpy as np
import pytest
from PIL import Image

LOG = [{'loss_gen': -1., 'loss_dis': 2., 'epoch': 0, 'iteration': 10, 'elapsed_time': 1.},
       {'loss_gen': -2., 'loss_dis': 1., 'epoch': 0, 'iteration': 20, 'elapsed_time': 2., 'digits_is_mean': 3.,
        'digits_is_std': .1, 'digits_fid': 50.},
       {'loss_gen': -3., 'loss_dis': .5, 'epoch': 1, 'iteration': 30, 'elapsed_time': 3.}]


@pytest.fixture
def figures(monkeypatch):
    """What is drawn: {file name: [{curve: points} of each panel]}, the files being drawn too."""
    drawn = {}
    draw = curves._draw

    def record(path, log, panels, ylabel):
        from matplotlib.figure import Figure
        savefig = Figure.savefig

        def save(figure, target, **kwargs):
            drawn[path.name] = [{line.get_label(): list(zip(*line.get_data(), strict=True)) for line in axes.lines}
                                  for axes in figure.axes]
            savefig(figure, target, **kwargs)
        with monkeypatch.context() as patch:
            patch.setattr(Figure, 'savefig', save)
            draw(path, log, panels, ylabel)
    monkeypatch.setattr(curves, '_draw', record)
    return drawn


def test_losses_together_and_each_score_on_its_own(tmp_path, figures):
    curves.Curves(SimpleNamespace(log=LOG))(SimpleNamespace(out=str(tmp_path)))
    assert figures == {
        'losses.png': [{'loss_gen': [(10, -1.), (20, -2.), (30, -3.)], 'loss_dis': [(10, 2.), (20, 1.), (30, .5)]}],
        'scores.png': [{'digits_is_mean': [(20, 3.)]}, {'digits_fid': [(20, 50.)]}]}
    for name in figures:
        with Image.open(tmp_path / name) as image:
            assert np.asarray(image.convert('L')).std() > 1


def test_without_scores(tmp_path, figures):
    curves.draw_curves(LOG[:1], tmp_path)
    assert list(figures) == ['losses.png']


def test_nothing_logged_yet(tmp_path, figures):
    curves.draw_curves([], tmp_path)
    assert list(tmp_path.iterdir()) == []
