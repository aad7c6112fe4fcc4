from source.inception.resize import resize_align_corners, resize_tf
from tests.inception.photos import photos

import chainer.functions as F
import numpy as np
import pytest


def plain_resize(ims, size, position):
    """One output pixel after the other, from the definition: between the four pixels around its place."""
    b, c, h, w = ims.shape
    y = np.empty((b, c, size, size))
    for i in range(size):
        for j in range(size):
            row, column = position(i, h, size), position(j, w, size)
            top, left = int(row), int(column)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            down, across = row - top, column - left
            y[:, :, i, j] = ((1 - down) * ((1 - across) * ims[:, :, top, left] + across * ims[:, :, top, right])
                             + down * ((1 - across) * ims[:, :, bottom, left] + across * ims[:, :, bottom, right]))
    return y


@pytest.mark.parametrize('shape, size', [
    ((32, 32), 20), ((32, 32), 99), ((61, 47), 50), ((299, 299), 20), ((300, 1), 40), ((128, 75), 99), ((1, 1), 20)])
@pytest.mark.parametrize('function, position', [
    (resize_tf, lambda i, extent, size: i * extent / size),
    (resize_align_corners, lambda i, extent, size: i * (extent - 1) / (size - 1))])
def test_definition(shape, size, function, position):
    ims = photos(*shape)
    y = function(ims, size)
    assert y.dtype == np.float32 and y.shape == (2, 3, size, size)
    np.testing.assert_allclose(y, plain_resize(ims.astype(np.float64), size, position), rtol=0, atol=1e-5 * 255)


def test_align_corners_is_chainers():
    ims = photos(61, 47).astype(np.float32)
    np.testing.assert_allclose(resize_align_corners(ims, 299), F.resize_images(ims, (299, 299)).array,
                               rtol=0, atol=1e-5 * 255)


def test_equal_size_is_the_same():
    ims = photos(40, 40)
    np.testing.assert_array_equal(resize_tf(ims, 40), ims.astype(np.float32))


def test_tf_has_no_half_pixel_shift():
    """A doubled row of pixels: every other pixel is a pixel of the input, from the first on, and the last stays."""
    ims = np.array([10, 20, 40], np.uint8).reshape(1, 1, 1, 3)
    assert resize_tf(ims, 6)[0, 0, 0].tolist() == [10, 15, 20, 30, 40, 40]
