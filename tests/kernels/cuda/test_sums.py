"""Sums over pixels and over everything but channels."""
from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin

import numpy as np
import pytest


def a_gradient(dtype):
    """A weight's gradient for the launch that also sums channels."""
    return draw((2, 3, 3, 4), dtype), None, False, (2, 3, 3, 3)


SHAPES = [(1, 1, 1, 1), (2, 3, 5, 3), (3, 4, 4, 8), (2, 7, 3, 72), (1, 5, 1, 520), (2, 40, 9, 16)]


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', SHAPES)
class TestOnHost:

    def test_sum_pixels(self, host, shape, dtype):
        x = draw(shape, dtype)
        for slope in (0., .1, 1.):
            check_everywhere(host, 'pooling', 'sum_pixels', x, slope, .7)
            check_everywhere(host, 'pooling', 'sum_pixels_gradient', draw((shape[0], shape[3])), x, slope, .7)

    def test_channel_sum(self, host, shape, dtype):
        check_everywhere(host, 'folding', 'unpack_gradients', *a_gradient(dtype), draw(shape, dtype))


def test_channel_sum_of_many_blocks(host):
    """As many parts as there may be, of more rows than a thread reads at once."""
    from source.kernels.cuda.launching import MOST_BLOCKS, rows_split
    x = draw((1, 4100, 9, 4))
    (parts, tiles), block, per_part = rows_split(x.size // 4, 4, 4)
    assert (parts - 1) * per_part < x.size // 4 <= parts * per_part
    check_everywhere(host, 'folding', 'unpack_gradients', *a_gradient(np.float32), x)
    assert MOST_BLOCKS / 2 < rows_split(10 ** 6, 64, 4)[0][0] <= MOST_BLOCKS
    assert rows_split(10 ** 6, 64 * 1000, 4)[0] == (1, 1000)


def test_against_closed_forms():
    x, gy = draw((2, 3, 5, 4), np.float64), draw((2, 4), np.float64, 1)
    np.testing.assert_allclose(twin('pooling', 'sum_pixels')(x, 0., 2.), 2 * np.maximum(x, 0).sum((1, 2)), rtol=1e-12)
    gx = twin('pooling', 'sum_pixels_gradient')(gy, x, 0., 2.)
    np.testing.assert_allclose(gx, 2 * gy[:, None, None] * (x > 0), rtol=1e-12)
    np.testing.assert_allclose(twin('channel_sum', 'channel_sum')(x), x.sum((0, 1, 2)), rtol=1e-12)
