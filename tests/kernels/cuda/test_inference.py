from source.inception.resize import align_corners_coordinates, resize_tf, tf_coordinates
from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin

import chainer.functions as F
import numpy as np
import pytest


def coordinates(function, extent, size):
    return [a.astype(np.int64) if a.dtype.kind == 'i' else a for a in function(extent, size)]


@pytest.mark.parametrize('function', [tf_coordinates, align_corners_coordinates])
@pytest.mark.parametrize('channels', [3, 4])
def test_resize(host, function, channels):
    from source.kernels.cuda import inference
    ims = np.floor(draw((2, 3, 5, 7)) * 50 + 128).astype(np.float32)
    rows, columns = coordinates(function, 5, 11), coordinates(function, 7, 4)
    expected = twin('inference', 'resize')(ims, rows, columns, -128., .0078125, channels)
    actual = inference.resize(host.array(ims), [host.array(a) for a in rows], [host.array(a) for a in columns], -128.,
                              .0078125, channels)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    assert actual.shape == (2, 11, 4, channels) and not actual[..., 3:].any()


def test_resize_twin_against_the_readable_one():
    ims = draw((2, 3, 5, 7))
    expected = (resize_tf(ims, 9) - 128) * .0078125
    actual = twin('inference', 'resize')(ims, tf_coordinates(5, 9), tf_coordinates(7, 9), -128., .0078125, 3)
    np.testing.assert_allclose(actual.transpose(0, 3, 1, 2), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('channels, first', [(3, 0), (3, 2), (16, 8), (16, 3)])
def test_pooling(host, dtype, channels, first):
    x = draw((2, 7, 6, channels), dtype)
    for stride, pad in ((1, 1), (2, 0)):
        rows, columns = ((extent + 2 * pad - 3) // stride + 1 for extent in x.shape[1:3])
        y = draw((2, rows, columns, channels + 8), dtype, 1)
        check_everywhere(host, 'inference', 'max_3x3', x, stride, pad, y, first)
    y = draw((2, 7, 6, channels + 8), dtype, 1)
    for counts_padding in (False, True):
        check_everywhere(host, 'inference', 'average_3x3', x, counts_padding, y, first)


def test_pooling_twins_against_chainer():
    x = draw((2, 7, 6, 5), np.float64)
    nchw = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    for stride, pad in ((1, 1), (2, 0)):
        expected = F.max_pooling_2d(nchw, 3, stride, pad, cover_all=False).array.transpose(0, 2, 3, 1)
        y = np.zeros(expected.shape)
        twin('inference', 'max_3x3')(x, stride, pad, y, 0)
        np.testing.assert_array_equal(y, expected)
    for counts_padding, pad_value in ((False, None), (True, 0)):
        y = np.zeros_like(x)
        twin('inference', 'average_3x3')(x, counts_padding, y, 0)
        expected = F.average_pooling_nd(nchw, 3, 1, 1, pad_value).array.transpose(0, 2, 3, 1)
        np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_nan_is_not_hidden(host):
    from source.kernels.cuda import inference
    x, y = draw((1, 3, 3, 4)), draw((1, 1, 1, 4))
    x[0, 2, 2, 1] = np.nan
    inference.max_3x3(host.array(x), 2, 0, y, 0)
    assert np.isnan(y[0, 0, 0]).tolist() == [False, True, False, False]
