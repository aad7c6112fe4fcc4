"""Figures 4, 5, 11, 13 and 15: means and deviations over seeds, in the panel and under the label they belong to."""
from source.experiments.catalogue import Variant
from source.experiments.figures import DRAWN
from tests.experiments.figures.drawn import METHODS, assert_band, drawn, labels, line, records_of, scores

import numpy as np
import pytest


def learning_curves(results, variant):
    return [250, 500, 750, 1000], [record['curve']['is_mean'] for record in records_of(results, variant)]


@pytest.mark.parametrize('figure, quantity, shown, cells, options', [
    ('figure_4', 'relative size of the final layer', ['SN', 'Orthonormal'], 'cnn-{}-C{}', {
        .5: '-final_scale_0.5', 1.: '', 2.: '-final_scale_2', 4.: '-final_scale_4', 8.: '-final_scale_8'}),
    ('figure_11', 'n_dis', ['SN', 'WN'], 'cnn-{}-D{}-at_most_10000', {
        1: '-n_dis_1', 2: '-n_dis_2', 5: '', 10: '-n_dis_10', 20: '-n_dis_20'})])
def test_against_a_quantity(results, figure, quantity, shown, cells, options):
    axes = drawn(results, figure)[0]
    for axis, score, name in zip(axes, ('is_mean', 'fid'), ('inception score', 'FID'), strict=True):
        assert name in axis.get_ylabel() and axis.get_xlabel() == quantity
        assert sorted(labels(axis)) == sorted(shown)
        for label in shown:
            values = [scores(results, cells.format(METHODS[label], option), score) for option in options.values()]
            assert_band(axis, label, list(options), np.transpose(values))


@pytest.mark.parametrize('figure, panels', [
    ('figure_5', {'resnet_concat': 'classes concatenated'}),
    ('figure_13', {'resnet': '(a) unconditional', 'resnet_projection': '(b) projection discriminator'})])
def test_learning_curves(results, figure, panels):
    for axis, (network, title) in zip(drawn(results, figure)[0], panels.items(), strict=True):
        assert axis.get_title() == title and sorted(labels(axis)) == ['Orthonormal', 'SN']
        for label in labels(axis):
            assert_band(axis, label, *learning_curves(results, f'{network}-{METHODS[label]}'))


def test_critic_losses(results):
    losses, curves = drawn(results, 'figure_15')[0]
    variants = {'WGAN-GP': 'cnn-wgan_gp-A', 'WGAN-GP w/ WN': 'cnn-wgan_gp-A-weight-use_gamma',
                'WGAN-GP w/ SN': 'cnn-wgan_gp-A-spectral-use_gamma'}
    assert sorted(labels(losses)) == sorted(f'{label} ({data})' for label in variants for data in ('train', 'held out'))
    assert sorted(labels(curves)) == sorted(variants)
    for label, variant in variants.items():
        logs = [record['log'] for record in records_of(results, variant)]
        for data, style in (('train', '--'), ('held out', '-')):
            values = [log[f'critic_loss_{data.replace(" ", "_")}'] for log in logs]
            assert_band(losses, f'{label} ({data})', logs[0]['iteration'], values)
            assert line(losses, f'{label} ({data})').get_linestyle() == style
        assert_band(curves, label, *learning_curves(results, variant))
        assert len({line(losses, f'{label} (train)').get_color(), line(curves, label).get_color()}) == 1


def record(scores, status='finished', interval=10):
    iteration = [interval * (i + 1) for i in range(len(scores))]
    return {'status': status, 'scores': {}, 'curve': {'iteration': iteration, 'is_mean': scores},
            'budget': {'dataset': 'digits', 'iteration': 40, 'ch': 8, 'batchsize': 32, 'feature_network': 'digits'},
            'log': {'iteration': iteration, 'critic_loss_train': scores, 'critic_loss_held_out': scores}}


def shaded(axis):
    """The xs of the shade, of which each part has two points at every x."""
    return sorted({x for path in axis.collections[0].get_paths() for x in path.vertices[:, 0]})


def crosses(axis):
    return [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axis.lines if line.get_marker() == 'x']


WHOLE = record([1., 2., 3., 4.])
EARLY = [WHOLE, record([3., 6.], 'diverged: x')]


@pytest.mark.parametrize('figure, panel, records, means, xs_of_shade, ends', [
    ('figure_13', 0, EARLY, [2., 4., 3., 4.], [10, 20], [([20], [6.])]),
    ('figure_15', 0, EARLY, [2., 4., 3., 4.], [10, 20], [([20], [6.])] * 2),
    ('figure_15', 1, EARLY, [2., 4., 3., 4.], [10, 20], [([20], [6.])]),
    ('figure_13', 0, [record([1., None], 'diverged: x'), record([3.], 'crashed: x')], [2.], [10],
     [([10], [1.]), ([10], [3.])]),
    ('figure_13', 0, [WHOLE], [1., 2., 3., 4.], [], []),
    ('figure_13', 0, [WHOLE, record([3., 6.], interval=20)], [1., 2.5, 3., 5.], [20, 40], [])])
def test_seeds_of_other_lengths(figure, panel, records, means, xs_of_shade, ends):
    """One that ended early does not shorten the line, and is marked; a shade of no width would say that seeds agree."""
    variant = Variant('resnet_projection', 'spectral') if figure == 'figure_13' else Variant('cnn', 'wgan_gp', 'A')
    page = DRAWN[figure]({(variant, seed): each for seed, each in enumerate(records)}, None)
    axis = page.axes[0, panel]
    title = '(b) projection discriminator' if figure == 'figure_13' else ['(a) critic loss', '(b) score'][panel]
    assert axis.get_title() == title
    assert page.axes.shape == ((1, 1) if figure == 'figure_13' else (1, 2))  # no half of Figure 13 without curves
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), 10 * np.arange(1, 1 + len(means)))
    np.testing.assert_allclose(axis.lines[0].get_ydata(), means)
    assert crosses(axis) == ends and shaded(axis) == xs_of_shade
    assert 'diverged or crashed' in ' '.join(page.figure.get_supxlabel().split())


def test_one_seed_and_a_failed_one_against_a_quantity():
    sizes = [Variant('cnn', 'spectral', 'C', (('final_scale', size),)) for size in (2., 4., 8.)]
    records = {(variant, seed): {**record([1.]), 'scores': {'is_mean': 2. + seed, 'fid': 3. + seed}}
               for variant in sizes for seed in (0, 1)}
    records[sizes[2], 1] = record([1.], 'diverged: x')
    axis = DRAWN['figure_4'](records, None).axes[0, 0]
    assert shaded(axis) == [2, 4] and ([8.], [.03]) in crosses(axis)
    np.testing.assert_array_equal(line(axis, 'SN').get_ydata(), [2.5, 2.5, 2.])
