from types import SimpleNamespace

from source.extensions import curves

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

LOG = [{'loss_gen': -1., 'loss_dis': 2., 'epoch': 0, 'iteration': 10, 'elapsed_time': 1.},
       {'loss_gen': -2., 'loss_dis': 1., 'epoch': 0, 'iteration': 20, 'elapsed_time': 2., 'digits_is_mean': 3.,
        'digits_is_std': .1, 'digits_fid': 50.},
       {'loss_gen': -3., 'loss_dis': .5, 'epoch': 1, 'iteration': 30, 'elapsed_time': 3.}]


def test_losses_together_and_each_score_on_its_own(tmp_path, monkeypatch):
    drawn, savefig = [], Figure.savefig  # of each file its panels, of these {curve: points}

    def save(figure, *args, **kwargs):
        drawn.append([{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in figure.axes])
        savefig(figure, *args, **kwargs)
    monkeypatch.setattr(Figure, 'savefig', save)
    curves.Curves(SimpleNamespace(log=LOG))(SimpleNamespace(out=str(tmp_path)))
    assert drawn == [
        [{'loss_gen': [[10, -1.], [20, -2.], [30, -3.]], 'loss_dis': [[10, 2.], [20, 1.], [30, .5]]}],
        [{'digits_is_mean': [[20, 3.]]}, {'digits_fid': [[20, 50.]]}]]
    for name in ('losses.png', 'scores.png'):
        with Image.open(tmp_path / name) as image:
            assert np.asarray(image.convert('L')).std() > 1


def test_nothing_is_drawn_of_what_is_not_logged_yet(tmp_path):
    curves.draw_curves([], tmp_path)
    assert list(tmp_path.iterdir()) == []
    curves.draw_curves(LOG[:1], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['losses.png']
