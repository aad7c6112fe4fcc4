from types import SimpleNamespace

from source.extensions.sample_sheet import SampleSheet
from source.pictures.image_sheets import GAP, fitting_scale
from source.pictures.labelled_sheets import with_columns_named
from tests.miscs.painter import Painter

import numpy as np
import pytest
from PIL import Image


def sheet(folder, gen, iteration=7, labels=(), **kwargs):
    """The sheet's images as (4, columns, 3) colours; over them are `labels`."""
    SampleSheet(gen, rows=4, **kwargs)(SimpleNamespace(out=str(folder), updater=SimpleNamespace(iteration=iteration)))
    with Image.open(folder / 'preview' / f'{iteration:08d}.png') as image:
        pixels = np.asarray(image)
    columns = max(min(gen.n_classes, 10), 1) if gen.n_classes else 4
    step = gen.size * fitting_scale(np.empty((1, 3, gen.size, gen.size)), 4, columns) + GAP
    height = 4 * step - GAP
    assert pixels.shape[1] == columns * step - GAP
    np.testing.assert_array_equal(with_columns_named(pixels[-height:], labels), pixels)
    return pixels[-height::step, ::step]


@pytest.mark.parametrize('n_classes, size, expected', [
    (3, 48, [0, 1, 2]), (0, 8, [127] * 4), (10, 8, list(range(10))), (1, 64, [0]),
    (100, 100, [0, 11, 22, 33, 44, 55, 66, 77, 88, 99])])
def test_a_sheet_has_one_column_per_class(tmp_path, n_classes, size, expected):
    """With its number, or without classes a square. The same latents every time, from the seed alone."""
    gen = Painter(n_classes, size)
    labels = [str(c) for c in expected] if n_classes else []
    colours = sheet(tmp_path, gen, labels=labels, seed=(5, 4))
    assert colours.shape == (4, len(expected), 3)
    assert colours[:, :, 0].tolist() == [expected] * 4
    assert len(np.unique(colours[:, :, 1])) > colours[:, :, 1].size * .7
    np.random.seed(99)
    before = np.random.get_state()[1].tobytes()
    np.testing.assert_array_equal(colours, sheet(tmp_path, gen, 8, labels, seed=(5, 4)))
    assert np.random.get_state()[1].tobytes() == before
    assert (colours != sheet(tmp_path, gen, 9, labels, seed=(6, 4))).any()


def test_columns_have_the_names_of_their_classes(tmp_path):
    sheet(tmp_path, Painter(3, 8), labels=['cat', 'dog', '2'], names=['cat', 'dog, hound'])
