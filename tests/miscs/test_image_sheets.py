from source.miscs.image_sheets import make_sheet, save_sheet

import numpy as np
import pytest
from PIL import Image


def slow_sheet(ims, rows, columns, scale, gap):
    """Pixel by pixel: white, and on it each image at its row and column."""
    _, _, h, w = ims.shape
    sheet = np.full((rows * (h * scale + gap) - gap, columns * (w * scale + gap) - gap, 3), 255, np.uint8)
    for k, im in enumerate(ims):
        top, left = k // columns * (h * scale + gap), k % columns * (w * scale + gap)
        for i in range(h * scale):
            for j in range(w * scale):
                sheet[top + i, left + j] = im[:, i // scale, j // scale]
    return sheet


@pytest.mark.parametrize('rows, columns', [(2, 3), (3, 2), (1, 4), (4, 1), (1, 1)])
@pytest.mark.parametrize('scale, gap', [(1, 0), (1, 2), (3, 0), (2, 1)])
def test_layout(rows, columns, scale, gap):
    ims = np.random.RandomState(0).randint(256, size=(rows * columns, 3, 4, 5), dtype=np.uint8)
    sheet = make_sheet(ims, rows, columns, scale, gap)
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet, slow_sheet(ims, rows, columns, scale, gap))


def test_wrong_number_of_images():
    with pytest.raises(ValueError, match='a sheet of 2x3 takes 6 images, got 5'):
        make_sheet(np.zeros((5, 3, 2, 2), np.uint8), 2, 3)


def test_saved_as_it_is(tmp_path):
    ims = np.random.RandomState(0).randint(256, size=(6, 3, 4, 4), dtype=np.uint8)
    save_sheet(tmp_path / 'sheet.png', ims, 2, 3)
    with Image.open(tmp_path / 'sheet.png') as image:
        assert image.mode == 'RGB'
        np.testing.assert_array_equal(np.asarray(image), make_sheet(ims, 2, 3))
