"""Against clean-fid's own resizing, where it is installed, and a float64 twin from its description."""
from source.feature_networks.clean_resize import resize_clean
from tests.inception.photos import photos

import numpy as np
import pytest


def weights(extent, size):
    """(size, extent): Keys' cubic of a = -1/2 around each output pixel's centre, widened where it reduces."""
    scale = extent / size
    reach = max(scale, 1.)
    x = np.abs((np.arange(extent) + .5) - (np.arange(size)[:, None] + .5) * scale) / reach
    outer = np.where(x < 2, -.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2, 0)
    cubic = np.where(x < 1, 1.5 * x ** 3 - 2.5 * x ** 2 + 1, outer)
    return cubic / cubic.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('height, width', [(32, 32), (48, 31), (320, 440), (300, 298), (3, 450), (299, 299)])
def test_definition(height, width):
    """Clipped, which black and white make necessary, and not rounded; images of that size stay."""
    ims = photos(height, width)
    ims[:, :, ::7], ims[:, :, 1::7] = 0, 255
    expected = (weights(height, 299) @ ims @ weights(width, 299).T).clip(0, 255)
    found = resize_clean(ims, 299)
    assert found.dtype == np.float32 and found.shape == expected.shape and found.min() >= 0 and found.max() <= 255
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (found == ims).all() if ims.shape == found.shape else (found != found.round()).mean() > .1


@pytest.mark.filterwarnings('ignore')  # Pillow's and PyTorch's, of clean-fid
@pytest.mark.parametrize('height, width', [(32, 32), (48, 31), (320, 440), (300, 298), (299, 299)])
def test_live(height, width):
    resize = pytest.importorskip('cleanfid.resize', reason='needs clean-fid').make_resizer(
        'PIL', False, 'bicubic', (299, 299))
    for im in photos(height, width):
        np.testing.assert_array_equal(resize_clean(im[None], 299)[0], resize(im.transpose(1, 2, 0)).transpose(2, 0, 1))
