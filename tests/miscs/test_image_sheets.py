from source.miscs.image_sheets import make_sheet, save_sheet

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize('rows, columns, scale, gap', [(2, 3, 1, 0), (3, 2, 2, 1), (1, 4, 3, 0), (4, 1, 1, 2)])
def test_layout(rows, columns, scale, gap):
    """Against a sheet made pixel by pixel: white, and on it each image at its row and column."""
    ims = np.random.RandomState(0).randint(256, size=(rows * columns, 3, 4, 5), dtype=np.uint8)
    h, w = 4 * scale, 5 * scale
    expected = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 255, np.uint8)
    for k, im in enumerate(ims):
        top, left = k // columns * (h + gap), k % columns * (w + gap)
        for i, j in np.ndindex(h, w):
            expected[top + i, left + j] = im[:, i // scale, j // scale]
    np.testing.assert_array_equal(make_sheet(ims, rows, columns, scale, gap), expected, strict=True)


def test_saved_as_it_is_unless_there_are_too_few(tmp_path):
    ims = np.random.RandomState(0).randint(256, size=(6, 3, 4, 4), dtype=np.uint8)
    save_sheet(tmp_path / 'sheet.png', ims, 2, 3)
    with Image.open(tmp_path / 'sheet.png') as image:
        assert image.mode == 'RGB'
        np.testing.assert_array_equal(np.asarray(image), make_sheet(ims, 2, 3))
    with pytest.raises(ValueError, match='a sheet of 2x3 takes 6 images, got 5'):
        make_sheet(ims[:5], 2, 3)
