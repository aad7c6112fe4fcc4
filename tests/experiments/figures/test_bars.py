"""Figures 1, 2 and 10: each bar is of the cells it stands for."""
from tests.experiments.figures.drawn import drawn, scores

import numpy as np
import pytest
from matplotlib.colors import to_hex

METHODS = {  # as the axis of Figure 1 names them, in its order
    'Weight clip.': 'weight_clipping', 'GAN-GP': 'gan_gp', 'WGAN-GP': 'wgan_gp', 'BN': 'batch', 'LN': 'layer',
    'WN': 'weight', 'Orthonormal': 'orthonormal', 'SN': 'spectral', 'None': 'none'}
WIDTH = .13


def tick_labels(axis):
    return [text.get_text() for text in axis.get_xticklabels()]


@pytest.mark.parametrize('name, score, scale', [('figure_1', 'is_mean', 'linear'), ('figure_2', 'fid', 'log')])
def test_scores(results, name, score, scale):
    axis = drawn(results, name)[0, 0]
    assert axis.get_yscale() == scale
    assert ('FID' if score == 'fid' else 'inception score') in axis.get_ylabel()
    np.testing.assert_array_equal(axis.get_xticks(), range(9))
    assert tick_labels(axis) == list(METHODS)
    settings = [text.get_text() for text in axis.get_legend().get_texts()]
    assert settings == list('ABCDEF')
    colours = {to_hex(patch.get_facecolor()): setting
               for setting, patch in zip(settings, axis.get_legend().get_patches(), strict=True)}
    found = {}
    for bar in axis.patches:
        middle = bar.get_x() + bar.get_width() / 2
        place = int(np.floor(middle + .5))
        setting = colours[to_hex(bar.get_facecolor())]
        assert middle - place == pytest.approx(('ABCDEF'.index(setting) - 2.5) * WIDTH)
        found[list(METHODS)[place], setting] = bar.get_height()
    assert sorted(found) == sorted((label, setting) for label in METHODS for setting in 'ABCDEF'
                                   if not (label == 'GAN-GP' and setting in 'EF'))  # which diverged
    for (label, setting), height in found.items():
        values = scores(results, f'cnn-{METHODS[label]}-{setting}', score)
        assert height == pytest.approx(values.mean())
        seeds, = [line.get_ydata() for line in axis.lines if line.get_marker() == '.' and line.get_xdata()[0] ==
                  pytest.approx(list(METHODS).index(label) + ('ABCDEF'.index(setting) - 2.5) * WIDTH)]
        np.testing.assert_array_equal(seeds, values)
    crosses, = [line for line in axis.lines if line.get_marker() == 'X']
    np.testing.assert_allclose(crosses.get_xdata(), [1 + 1.5 * WIDTH, 1 + 2.5 * WIDTH])


def test_seconds(results):
    """Against no normalization, as the made-up records have it: 25, 19, 17 and 16 s, and a second more for seed 1."""
    axis = drawn(results, 'figure_10')[0, 0]
    assert tick_labels(axis) == ['WGAN-GP', 'WN', 'SN', 'Vanilla']
    assert [bar.get_height() for bar in axis.patches] == [25.5, 19.5, 17.5, 16.5]
    assert [text.get_text() for text in axis.texts] == [
        '25.5 s (1.55×)', '19.5 s (1.18×)', '17.5 s (1.06×)', '16.5 s (1.00×)']
