from types import SimpleNamespace

from source.extensions.sample_sheet import SampleSheet
from tests.miscs.painter import Painter

import numpy as np
import pytest
from PIL import Image


def sheet(folder, gen, iteration=7, **kwargs):
    """The sheet's images as (rows, columns, 3) colours; images below 64 px are enlarged."""
    SampleSheet(gen, **kwargs)(SimpleNamespace(out=str(folder), updater=SimpleNamespace(iteration=iteration)))
    with Image.open(folder / 'preview' / f'{iteration:08d}.png') as image:
        pixels = np.asarray(image)
    side, gap = max(gen.size, 64 // gen.size * gen.size), max(1, 64 // gen.size)
    assert (pixels.shape[0] + gap) % (side + gap) == (pixels.shape[1] + gap) % (side + gap) == 0
    return pixels[::side + gap, ::side + gap]


@pytest.mark.parametrize('n_classes, size, expected', [
    (3, 48, [0, 1, 2]), (0, 8, [127] * 4), (10, 8, list(range(10))), (1, 64, [0]),
    (100, 100, [0, 11, 22, 33, 44, 55, 66, 77, 88, 99])])
def test_a_sheet_has_one_column_per_class(tmp_path, n_classes, size, expected):
    """Or without classes a square. The same latents every time, from the seed alone."""
    gen = Painter(n_classes, size)
    colours = sheet(tmp_path, gen, rows=4, seed=(5, 4))
    assert colours.shape == (4, len(expected), 3)
    assert colours[:, :, 0].tolist() == [expected] * 4
    assert len(np.unique(colours[:, :, 1])) > colours[:, :, 1].size * .7
    np.random.seed(99)
    before = np.random.get_state()[1].tobytes()
    np.testing.assert_array_equal(colours, sheet(tmp_path, gen, 8, rows=4, seed=(5, 4)))
    assert np.random.get_state()[1].tobytes() == before
    assert (colours != sheet(tmp_path, gen, 9, rows=4, seed=(6, 4))).any()
