"""Figures 3 and 9: whose singular values, and of which layers."""
from tests.experiments.figures.drawn import drawn, labels, line, records_of, scores

import numpy as np

ROWS = ({'Weight clip.': 'weight_clipping', 'WN': 'weight', 'SN': 'spectral'},  # those of the paper
        {'GAN-GP': 'gan_gp', 'WGAN-GP': 'wgan_gp', 'BN': 'batch', 'LN': 'layer', 'Orthonormal': 'orthonormal',
         'None': 'none'})


def test_singular_values_of_the_best_setting(results):
    """Squared, and of each seed scaled by its largest."""
    axes = drawn(results, 'figure_3')
    assert axes.shape == (2, 7)
    caption = ''.join(axes[0, 0].figure.get_supxlabel().split())  # which breaks lines at hyphens too
    for row, methods in zip(axes, ROWS, strict=True):
        assert [axis.get_title() for axis in row] == [f'layer {k}' for k in range(1, 8)]
        for label, method in methods.items():
            settings = 'ABCD' if method == 'gan_gp' else 'ABCDEF'  # E and F diverged
            means = {setting: scores(results, f'cnn-{method}-{setting}', 'is_mean').mean() for setting in settings}
            best = max(means, key=means.get)
            assert f'{label}{best}'.replace(' ', '') in caption
            records = records_of(results, f'cnn-{method}-{best}')
            for k, axis in enumerate(row, 1):
                assert sorted(labels(axis)) == sorted(methods)
                values = [np.divide(squares, squares[0])
                          for squares in (record['squared_singular_values'][f'c{k}'] for record in records)]
                assert not np.array_equal(*values)
                np.testing.assert_allclose(line(axis, label).get_ydata(), np.mean(values, axis=0), rtol=1e-4)
                np.testing.assert_array_equal(line(axis, label).get_xdata(), np.arange(1, 1 + len(values[0])))


def test_spectral_norms_of_the_convolutions(results):
    axis = drawn(results, 'figure_9')[0, 0]
    assert labels(axis) == [f'conv{k}' for k in range(7)]  # seven, as the caption says, and not the dense layer
    record = records_of(results, 'cnn-spectral-C')[0]
    for k in range(7):
        np.testing.assert_array_equal(line(axis, f'conv{k}').get_xdata(), record['log']['iteration'])
        np.testing.assert_allclose(line(axis, f'conv{k}').get_ydata(), record['spectral_norms'][f'c{k + 1}'])
