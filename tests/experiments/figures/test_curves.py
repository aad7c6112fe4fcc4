"""Figures 4, 5, 13 and 15: means and deviations over seeds, in the panel and under the label they belong to."""
from source.experiments.records import Results
from tests.experiments.figures.drawn import (
    assert_mean_and_deviation,
    drawn,
    labels,
    line,
    records_of,
    scores,
)
from tests.experiments.made_records import make_records

import numpy as np
import pytest

SN_AND_ORTHONORMAL = {'SN': 'spectral', 'Orthonormal': 'orthonormal'}


def learning_curves(results, variant):
    return [250, 500, 750, 1000], [record['curve']['is_mean'] for record in records_of(results, variant)]


@pytest.mark.parametrize('column, score, name', [(0, 'is_mean', 'inception score'), (1, 'fid', 'FID')])
def test_relative_sizes(results, column, score, name):
    axis = drawn(results, 'figure_4')[0, column]
    assert name in axis.get_ylabel() and axis.get_xlabel() == 'relative size of the final layer'
    assert sorted(labels(axis)) == sorted(SN_AND_ORTHONORMAL)
    for label, method in SN_AND_ORTHONORMAL.items():
        names = [f'cnn-{method}-C{size}' for size in (
            '-final_scale_0.5', '', '-final_scale_2', '-final_scale_4', '-final_scale_8')]
        values = np.transpose([scores(results, name, score) for name in names])
        assert_mean_and_deviation(axis, label, [.5, 1., 2., 4., 8.], values)


def test_learning_curves_concat(results):
    axes = drawn(results, 'figure_5')
    assert axes.shape == (1, 1)
    assert axes[0, 0].get_title() == 'classes concatenated'
    assert sorted(labels(axes[0, 0])) == sorted(SN_AND_ORTHONORMAL)
    for label, method in SN_AND_ORTHONORMAL.items():
        assert_mean_and_deviation(axes[0, 0], label, *learning_curves(results, f'resnet_concat-{method}'))


def test_learning_curves(results):
    axes = drawn(results, 'figure_13')
    assert axes.shape == (1, 2)
    for axis, network, title in zip(axes[0], ('resnet', 'resnet_projection'),
                                    ('(a) unconditional', '(b) projection discriminator'), strict=True):
        assert axis.get_title() == title
        assert sorted(labels(axis)) == sorted(SN_AND_ORTHONORMAL)
        for label, method in SN_AND_ORTHONORMAL.items():
            assert_mean_and_deviation(axis, label, *learning_curves(results, f'{network}-{method}'))


@pytest.mark.parametrize('network, title', [('resnet', '(a) unconditional'),
                                            ('resnet_projection', '(b) projection discriminator')])
def test_half_of_figure_13(tmp_path, network, title):
    """Where the data have no classes, or only one half has been run."""
    results = Results(tmp_path / 'comparison')
    for cell in make_records(results, ['figure_13']):
        if cell.variant.network != network:
            results.record(cell).unlink()
    axes = drawn(results, 'figure_13')
    assert axes.shape == (1, 1) and axes[0, 0].get_title() == title
    for label, method in SN_AND_ORTHONORMAL.items():
        assert_mean_and_deviation(axes[0, 0], label, *learning_curves(results, f'{network}-{method}'))


def test_critic_losses(results):
    losses, curves = drawn(results, 'figure_15')[0]
    variants = {'WGAN-GP': 'cnn-wgan_gp-A', 'WGAN-GP w/ WN': 'cnn-wgan_gp-A-weight-use_gamma',
                'WGAN-GP w/ SN': 'cnn-wgan_gp-A-spectral-use_gamma'}
    assert sorted(labels(losses)) == sorted(f'{label} ({data})' for label in variants for data in ('train', 'held out'))
    assert sorted(labels(curves)) == sorted(variants)
    for label, variant in variants.items():
        logs = [record['log'] for record in records_of(results, variant)]
        for data, key, style in (('train', 'critic_loss_train', '--'), ('held out', 'critic_loss_held_out', '-')):
            iterations, values = logs[0]['iteration'][1:], [log[key][1:] for log in logs]  # the first are both 0
            shown = line(losses, f'{label} ({data})')
            np.testing.assert_allclose(shown.get_ydata(), np.mean([log[key] for log in logs], axis=0), rtol=1e-4)
            assert shown.get_linestyle() == style
            shade = losses.collections[labels(losses).index(f'{label} ({data})')].get_paths()[0].vertices
            for x, column in zip(iterations, np.transpose(values), strict=True):
                at_x = shade[np.isclose(shade[:, 0], x), 1]
                expected = [column.mean() - column.std(), column.mean() + column.std()]
                np.testing.assert_allclose([at_x.min(), at_x.max()], expected, rtol=1e-4)
        assert_mean_and_deviation(curves, label, *learning_curves(results, variant))
        assert len({line(losses, f'{label} (train)').get_color(), line(curves, label).get_color()}) == 1
