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


def shaded(axis):
    """The xs of the shade, of which each part has two points at every x."""
    return sorted({x for path in axis.collections[0].get_paths() for x in path.vertices[:, 0]})


def test_no_deviation_of_one_seed():
    """A shade of no width would say that seeds agree."""
    variant = Variant('resnet', 'spectral')
    records = {(variant, 0): record([1., 2., 3., 4.]), (variant, 1): record([3., 6.], 'diverged: x')}
    assert shaded(DRAWN['figure_13'](records, None).axes[0, 0]) == [10, 20]
    del records[variant, 1]
    assert shaded(DRAWN['figure_13'](records, None).axes[0, 0]) == []


def test_no_deviation_of_one_seed_against_a_quantity():
    sizes = [Variant('cnn', 'spectral', 'C', (('final_scale', size),)) for size in (2., 4., 8.)]
    records = {(variant, seed): {**record([1.]), 'scores': {'is_mean': 2. + seed, 'fid': 3. + seed}}
               for variant in sizes for seed in (0, 1)}
    del records[sizes[2], 1]
    axis = DRAWN['figure_4'](records, None).axes[0, 0]
    assert shaded(axis) == [2, 4]
    line, = [line for line in axis.lines if line.get_label() == 'SN']
    np.testing.assert_array_equal(line.get_ydata(), [2.5, 2.5, 2.])


def test_seeds_scored_at_other_iterations():
    variant = Variant('resnet', 'spectral')
    other = record([3., 6.])
    other['curve']['iteration'] = [20, 40]
    axis = DRAWN['figure_13']({(variant, 0): record([1., 2., 3., 4.]), (variant, 1): other}, None).axes[0, 0]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [1., 2.5, 3., 5.])
