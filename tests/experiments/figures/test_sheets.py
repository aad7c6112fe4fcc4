"""Figures 6 and 12: each panel has the samples of its own method and setting, with gaps between them."""
from source.datasets.open_image import open_rgb
from source.pictures.image_sheets import GAP, save_picture
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
                parted, stored = axis.images[0].get_array(), np.asarray(open_rgb(results.samples(cell)))
                kept = np.flatnonzero(np.arange(len(parted)) % (32 + GAP) < 32)
                assert parted.shape == (5 * 32 + 4 * GAP, 5 * 32 + 4 * GAP, 3)
                np.testing.assert_array_equal(parted[kept][:, kept], stored)
                assert (np.delete(parted, kept, 0) == 255).all() and (np.delete(parted, kept, 1) == 255).all()


def test_a_picture_that_is_no_sheet_is_shown_as_it_is(results):
    path = results.samples('real_data')
    before = path.read_bytes()
    try:
        save_picture(path, np.full((7, 160, 3), 9, np.uint8))
        assert drawn(results, 'figure_6')[0, 0].images[0].get_array().shape == (7, 160, 3)
    finally:
        path.write_bytes(before)
