"""Figures 3 and 9: whose singular values, and of which layers."""
from tests.experiments.figures.drawn import METHODS, drawn, labels, line, records_of, scores

import numpy as np

ROWS = ['WN', 'SN', 'Weight clip.'], ['BN', 'GAN-GP', 'LN', 'None', 'Orthonormal', 'WGAN-GP']  # the paper's, and others


def test_singular_values_of_the_best_setting(results):
    """Squared, and of each seed scaled by its largest."""
    axes = drawn(results, 'figure_3')
    caption = ''.join(axes[0, 0].figure.get_supxlabel().split())  # which breaks lines at hyphens too
    assert axes.shape == (2, 7) and caption.endswith('seeds0,1.')  # and nothing of scores
    for row, shown in zip(axes, ROWS, strict=True):
        assert [axis.get_title() for axis in row] == [f'layer {k}' for k in range(1, 8)]
        for label in shown:
            method = METHODS[label]
            settings = 'ABCD' if method == 'gan_gp' else 'ABCDEF'  # E and F diverged
            means = {setting: scores(results, f'cnn-{method}-{setting}', 'is_mean').mean() for setting in settings}
            best = max(means, key=means.get)
            assert f'{label}{best}'.replace(' ', '') in caption
            records = records_of(results, f'cnn-{method}-{best}')
            for k, axis in enumerate(row, 1):
                assert sorted(labels(axis)) == sorted(shown)
                squares = [record['squared_singular_values'][f'c{k}'] for record in records]
                values = [np.divide(each, each[0]) for each in squares]
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
