"""Figures 6 and 12: each panel has the samples of its own method and setting."""
from source.datasets.open_image import open_rgb
from tests.experiments.figures.drawn import METHODS, drawn

import numpy as np
import pytest


@pytest.mark.parametrize('name, rows', [('figure_6', ['WGAN-GP', 'WN', 'SN']), ('figure_12', ['GAN-GP', 'BN', 'LN'])])
def test_samples(results, name, rows):
    axes = drawn(results, name)
    assert axes.shape == (3, 7)
    assert [axis.get_title() for axis in axes[0]] == ['Dataset', *'ABCDEF']
    assert [axis.get_ylabel() for axis in axes[:, 0]] == rows
    for row, label in zip(axes, rows, strict=True):
        cells = ['real_data', *(f'cnn-{METHODS[label]}-{setting}-seed0' for setting in 'ABCDEF')]
        for axis, cell in zip(row, cells, strict=True):
            if cell in ('cnn-gan_gp-E-seed0', 'cnn-gan_gp-F-seed0'):
                assert not axis.images and axis.texts[0].get_text() == 'diverged'
            else:
                np.testing.assert_array_equal(axis.images[0].get_array(), open_rgb(results.samples(cell)))
