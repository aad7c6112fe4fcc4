"""A seed that ended early does not shorten the curve of the others."""
from source.experiments.catalogue import Variant
from source.experiments.figures import DRAWN

import numpy as np
import pytest

BUDGET = {'dataset': 'digits', 'iteration': 40, 'ch': 8, 'batchsize': 32, 'feature_network': 'digits'}


def record(scores, status='finished'):
    iteration = [10 * (i + 1) for i in range(len(scores))]
    return {'status': status, 'budget': BUDGET, 'scores': {}, 'curve': {'iteration': iteration, 'is_mean': scores},
            'log': {'iteration': iteration, 'critic_loss_train': scores, 'critic_loss_held_out': scores}}


@pytest.mark.parametrize('figure, variant, panel, dots', [
    ('figure_13', Variant('resnet', 'spectral'), 0, 1), ('figure_15', Variant('cnn', 'wgan_gp', 'A'), 0, 2),
    ('figure_15', Variant('cnn', 'wgan_gp', 'A'), 1, 1)])
def test_the_line_goes_on_and_the_end_is_marked(figure, variant, panel, dots):
    records = {(variant, 0): record([1., 2., 3., 4.]), (variant, 1): record([3., 6.], 'diverged: x')}
    page = DRAWN[figure](records, None)
    axis = page.axes[0, panel]
    line = next(line for line in axis.lines if len(line.get_xdata()) > 1)
    np.testing.assert_allclose(line.get_xdata(), [10, 20, 30, 40])
    np.testing.assert_allclose(line.get_ydata(), [2., 4., 3., 4.])
    marks = [line for line in axis.lines if line.get_marker() == 'x']
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in marks] == dots * [([20], [6.])]
    assert 'diverged or crashed' in ' '.join(page.figure._supxlabel.get_text().split())


def test_all_seeds_ended():
    variant = Variant('resnet', 'spectral')
    records = {(variant, 0): record([1., None], 'diverged: x'), (variant, 1): record([3.], 'crashed: x')}
    axis = DRAWN['figure_13'](records, None).axes[0, 0]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [2.])
    assert sum(line.get_marker() == 'x' for line in axis.lines) == 2
