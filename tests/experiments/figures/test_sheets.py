"""Figures 6 and 12: each panel has the samples of its own method and setting."""
from tests.experiments.figures.drawn import drawn

import numpy as np
import pytest
from PIL import Image


def samples(results, name):
    with Image.open(results.samples(name)) as image:
        return np.asarray(image)


@pytest.mark.parametrize('name, rows', [
    ('figure_6', {'WGAN-GP': 'wgan_gp', 'WN': 'weight', 'SN': 'spectral'}),
    ('figure_12', {'GAN-GP': 'gan_gp', 'BN': 'batch', 'LN': 'layer'})])
def test_samples(results, name, rows):
    axes = drawn(results, name)
    assert axes.shape == (3, 7)
    assert [axis.get_title() for axis in axes[0]] == ['Dataset', *'ABCDEF']
    assert [axis.get_ylabel() for axis in axes[:, 0]] == list(rows)
    for row, method in zip(axes, rows.values(), strict=True):
        np.testing.assert_array_equal(row[0].images[0].get_array(), samples(results, 'real_data'))
        for axis, setting in zip(row[1:], 'ABCDEF', strict=True):
            if method == 'gan_gp' and setting in 'EF':
                assert not axis.images and axis.texts[0].get_text() == 'diverged'
            else:
                np.testing.assert_array_equal(axis.images[0].get_array(),
                                              samples(results, f'cnn-{method}-{setting}-seed0'))
