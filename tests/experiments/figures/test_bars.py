"""Figures 1, 2 and 10: each bar is of the cells it stands for."""
from tests.experiments.figures.drawn import METHODS, bars_of_figure_10, caption, drawn, scores

import numpy as np
import pytest


@pytest.mark.parametrize('name, score, scale, label', [
    ('figure_1', 'is_mean', 'linear', 'inception score'), ('figure_2', 'fid', 'log', 'FID')])
def test_scores(results, name, score, scale, label):
    axis = drawn(results, name)[0, 0]
    assert axis.get_yscale() == scale and label in axis.get_ylabel()
    np.testing.assert_array_equal(axis.get_xticks(), range(9))
    assert [text.get_text() for text in axis.get_xticklabels()] == list(METHODS)
    texts, patches = axis.get_legend().get_texts(), axis.get_legend().get_patches()
    colours = {text.get_text(): patch.get_facecolor() for text, patch in zip(texts, patches, strict=True)}
    assert list(colours) == list('ABCDEF')
    bars = {round(bar.get_x() + bar.get_width() / 2, 6): bar for bar in axis.patches}
    seeds = {round(line.get_xdata()[0], 6): line.get_ydata() for line in axis.lines if line.get_marker() == '.'}
    crosses, = [line.get_xdata() for line in axis.lines if line.get_marker() == 'X']
    for i, method in enumerate(METHODS.values()):
        for setting, shift in zip('ABCDEF', (-.325, -.195, -.065, .065, .195, .325), strict=True):
            x = round(i + shift, 6)
            if method == 'gan_gp' and setting in 'EF':  # which diverged
                assert x in np.round(crosses, 6) and x not in bars
            else:
                values = scores(results, f'cnn-{method}-{setting}', score)
                assert bars[x].get_height() == pytest.approx(values.mean())
                assert bars[x].get_facecolor() == colours[setting]
                np.testing.assert_array_equal(seeds[x], values)
    assert len(crosses) == 2
    assert caption(results, name).endswith(
        ' Run on digits, ch 8 (the paper\'s is 64), 700 generator updates, batch 32, seeds 0, 1. Scores are by the '
        'network "digits", not by Inception: not to be compared with the paper\'s numbers.')


def test_seconds(results):
    """Against no normalization, and of the timed cells alone: 25, 19, 17 and 16 s, and a second more for seed 1."""
    assert bars_of_figure_10(results) == [
        'WGAN-GP 25.5 s (1.55×)', 'WN 19.5 s (1.18×)', 'SN 17.5 s (1.06×)', 'Vanilla 16.5 s (1.00×)']
    assert [bar.get_height() for bar in drawn(results, 'figure_10')[0, 0].patches] == [25.5, 19.5, 17.5, 16.5]
    text = caption(results, 'figure_10')
    assert 'each cell timed alone, threads: 1;' in text and '100 generator updates, batch 32, seeds 0, 1.' in text
