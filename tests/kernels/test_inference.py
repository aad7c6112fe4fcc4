"""The kernels of inference against plain definitions in float64."""
import re

from source.kernels.cpu import depthwise, pooling
from source.kernels.cpu.gathered_convolution import convolve, out_size, pack
from tests import children
from tests.kernels.convolution_operations import threads

import chainer.functions as F
import numpy as np
import pytest

# N, H, W, C, O, kernel, stride, padding: those of the network's layers, narrow; odd sizes; one pixel; several blocks
CONVOLUTIONS = [
    (2, 9, 11, 3, 32, (3, 3), 2, (0, 0)), (2, 9, 6, 5, 48, (3, 3), 1, (1, 1)), (1, 7, 9, 16, 80, (1, 7), 1, (0, 3)),
    (3, 7, 4, 16, 80, (7, 1), 1, (3, 0)), (1, 9, 9, 20, 32, (5, 5), 1, (2, 2)), (2, 6, 5, 20, 32, (1, 1), 1, (0, 0)),
    (1, 1, 1, 1, 16, (1, 1), 1, (0, 0)), (1, 1, 1, 4, 16, (3, 3), 1, (1, 1)), (5, 40, 40, 70, 16, (3, 3), 2, (1, 1)),
    (2, 5, 5, 7, 24, (1, 1), 1, (0, 0)), (2, 5, 5, 7, 41, (3, 3), 1, (1, 1)), (1, 3, 3, 4, 3, (1, 1), 1, (0, 0))]


def draw(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def plain_convolution(x, w, bias, stride, pad):
    x = np.pad(x.astype(np.float64), ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum('nhwcij,ocij->nhwo', windows, w.astype(np.float64), optimize=True) + bias


@pytest.mark.parametrize('shape', CONVOLUTIONS)
def test_convolution(shape):
    """Into some channels of a larger array; the bits are those of an image alone, and of one thread."""
    n, height, width, channels, n_outputs, ksize, stride, pad = shape
    x, w, bias = draw(n, height, width, channels), draw(n_outputs, channels, *ksize, seed=1), draw(n_outputs, seed=2)
    packed = pack(w, bias, stride, pad)
    size = out_size(packed, height, width)
    for floor in (0., -np.inf):
        y = np.full((n, *size, n_outputs + 7), 9, np.float32)
        convolve(packed, x, y, 3, floor)
        expected = np.maximum(plain_convolution(x, w, bias, stride, pad), floor)
        np.testing.assert_allclose(y[..., 3:-4], expected, rtol=0, atol=1e-6 * np.abs(expected).max())
        assert (y[..., :3] == 9).all() and (y[..., -4:] == 9).all()
    y, one_thread, alone = (np.empty((images, *size, n_outputs), np.float32) for images in (n, n, 1))
    convolve(packed, x, y)
    convolve(packed, x[-1:].copy(), alone)
    with threads(1):
        convolve(packed, x, one_thread)
    np.testing.assert_equal([alone, one_thread], [y[-1:], y])
    np.testing.assert_allclose(y, np.maximum(expected, 0), rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize('size', [(6, 6), (7, 7), (6, 7)])
@pytest.mark.parametrize('k, stride', [(3, 2), (3, 1), (5, 2)])
def test_padding_behind(size, k, stride):
    """TensorFlow's 'same' padding, whose odd pixel lies behind: y is larger than the padding before would make it."""
    out = [-(-extent // stride) for extent in size]
    pads = [max((n - 1) * stride + k - extent, 0) for n, extent in zip(out, size, strict=True)]
    before = tuple(pad // 2 for pad in pads)
    x, w, bias = draw(2, *size, 16), draw(16, 16, k, k, seed=1), draw(16, seed=2)
    y = np.empty((2, *out, 16), np.float32)
    padded = np.pad(x, ((0, 0), *((first, pad - first) for first, pad in zip(before, pads, strict=True)), (0, 0)))
    convolve(pack(w, np.zeros(16, np.float32), stride, before), x, y, floor=-np.inf)
    np.testing.assert_allclose(y, plain_convolution(padded, w, 0, stride, (0, 0)), rtol=0, atol=1e-4)
    taps = np.ascontiguousarray(w[:, 0].transpose(1, 2, 0))
    depthwise.convolve_depthwise(x, taps, bias, stride, *before, 1.5, y)
    windows = np.lib.stride_tricks.sliding_window_view(np.minimum(padded, 1.5), (k, k), axis=(1, 2))
    expected = np.einsum('nhwcij,ijc->nhwc', windows[:, ::stride, ::stride], taps) + bias
    np.testing.assert_allclose(y, np.clip(expected, 0, 1.5), rtol=0, atol=1e-5)
    assert (y == 1.5).any() and (y == 0).any()


@pytest.mark.parametrize('size', [(8, 8), (7, 10), (3, 4)])
@pytest.mark.parametrize('pool, plain, arguments', [
    (pooling.max_3x3, lambda x: F.max_pooling_2d(x, 3, 2, 0, cover_all=False), (2, 0)),
    (pooling.max_3x3, lambda x: F.max_pooling_2d(x, 3, 1, 1, cover_all=False), (1, 1)),
    (pooling.average_3x3, lambda x: F.average_pooling_nd(x, 3, 1, 1, pad_value=None), (False,)),
    (pooling.average_3x3, lambda x: F.average_pooling_nd(x, 3, 1, 1, pad_value=0), (True,))])
def test_pools(size, pool, plain, arguments):
    x = draw(2, *size, 5) - 3
    expected = plain(x.transpose(0, 3, 1, 2).astype(np.float64)).array.transpose(0, 2, 3, 1)
    y, mean = np.full((*expected.shape[:3], 8), 9, np.float32), np.empty((2, 5), np.float32)
    pool(x, *arguments, y, 2)
    np.testing.assert_allclose(y[..., 2:7], expected, rtol=1e-6)
    assert (y[..., :2] == 9).all() and (y[..., 7:] == 9).all()
    pooling.mean_of_pixels(x, mean)
    np.testing.assert_allclose(mean, x.mean(axis=(1, 2), dtype=np.float64), rtol=1e-5, atol=1e-7)


@pytest.mark.long
@pytest.mark.parametrize('width', [4, 8])
def test_on_narrower_machines(width, tmp_path):
    """The same test with the vectors of machines without AVX-512, and without AVX2."""
    environment = {'SNGAN_VECTOR_FLOATS': str(width), 'NUMBA_CACHE_DIR': str(tmp_path)}
    status, output, _ = children.python('-m', 'pytest', '-q', '-k', 'test_convolution', '-p', 'no:cacheprovider',
                                        __file__, env=environment, cwd=children.ROOT)
    assert status == 0, output[-3000:]
    assert re.search(rf'\b{len(CONVOLUTIONS)} passed', output)
