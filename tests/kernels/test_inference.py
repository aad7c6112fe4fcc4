"""The kernels of inference against plain definitions in float64."""
import os
import subprocess
import sys
from pathlib import Path

from source.kernels.cpu import bilinear, depthwise, pooling
from source.kernels.cpu.gathered_convolution import convolve, out_size, pack

import numba
import numpy as np
import pytest

# N, H, W, C, O, kernel, stride, padding: those of the network's layers, narrow; odd sizes; one pixel; several blocks
CONVOLUTIONS = [
    (2, 9, 11, 3, 32, (3, 3), 2, (0, 0)), (2, 9, 6, 5, 48, (3, 3), 1, (1, 1)), (1, 7, 9, 16, 80, (1, 7), 1, (0, 3)),
    (3, 7, 4, 16, 80, (7, 1), 1, (3, 0)), (1, 9, 9, 20, 32, (5, 5), 1, (2, 2)), (2, 6, 5, 20, 32, (1, 1), 1, (0, 0)),
    (1, 1, 1, 1, 16, (1, 1), 1, (0, 0)), (1, 1, 1, 4, 16, (3, 3), 1, (1, 1)), (5, 40, 40, 70, 16, (3, 3), 2, (1, 1)),
    (2, 5, 5, 7, 24, (1, 1), 1, (0, 0)), (2, 5, 5, 7, 41, (3, 3), 1, (1, 1)), (1, 3, 3, 4, 3, (1, 1), 1, (0, 0))]


def plain_convolution(x, w, bias, stride, pad):
    x = np.pad(x.astype(np.float64), ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum('nhwcij,ocij->nhwo', windows, w.astype(np.float64), optimize=True) + bias


def arrays(shape):
    n, height, width, channels, n_outputs, ksize, stride, pad = shape
    rng = np.random.RandomState(0)
    x = rng.standard_normal((n, height, width, channels)).astype(np.float32)
    w = rng.standard_normal((n_outputs, channels, *ksize)).astype(np.float32)
    return x, w, rng.standard_normal(n_outputs).astype(np.float32), stride, pad


@pytest.mark.parametrize('floor', [0., -np.inf])
@pytest.mark.parametrize('shape', CONVOLUTIONS)
def test_convolution(shape, floor):
    x, w, bias, stride, pad = arrays(shape)
    packed = pack(w, bias, stride, pad)
    y = np.full((len(x), *out_size(packed, *x.shape[1:3]), len(w) + 7), 9, np.float32)
    convolve(packed, x, y, 3, floor)
    expected = np.maximum(plain_convolution(x, w, bias, stride, pad), floor)
    np.testing.assert_allclose(y[..., 3:-4], expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert (y[..., :3] == 9).all() and (y[..., -4:] == 9).all()


@pytest.mark.parametrize('shape', CONVOLUTIONS)
def test_bits_of_a_convolution(shape):
    """Those of an image alone, and of one thread."""
    x, w, bias, stride, pad = arrays(shape)
    packed = pack(w, bias, stride, pad)
    y = np.empty((len(x), *out_size(packed, *x.shape[1:3]), len(w)), np.float32)
    convolve(packed, x, y)
    alone = np.empty_like(y[-1:])
    convolve(packed, np.ascontiguousarray(x[-1:]), alone)
    np.testing.assert_array_equal(alone, y[-1:])
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one_thread = np.empty_like(y)
        convolve(packed, x, one_thread)
    finally:
        numba.set_num_threads(n_threads)
    np.testing.assert_array_equal(one_thread, y)


@pytest.mark.parametrize('size', [(6, 6), (7, 7), (6, 7)])
@pytest.mark.parametrize('k, stride', [(3, 2), (3, 1), (5, 2)])
def test_padding_behind(size, k, stride):
    """TensorFlow's 'same' padding, whose odd pixel lies behind: y is larger than the padding before would make it."""
    out = [-(-extent // stride) for extent in size]
    pads = [max((n - 1) * stride + k - extent, 0) for n, extent in zip(out, size, strict=True)]
    before = tuple(pad // 2 for pad in pads)
    rng = np.random.RandomState(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, *size, 16), (16, 16, k, k)))
    padded = np.pad(x, ((0, 0), *((first, pad - first) for first, pad in zip(before, pads, strict=True)), (0, 0)))
    y = np.empty((2, *out, 16), np.float32)
    convolve(pack(w, np.zeros(16, np.float32), stride, before), x, y, floor=-np.inf)
    np.testing.assert_allclose(y, plain_convolution(padded, w, 0, stride, (0, 0)), rtol=0, atol=1e-4)
    taps = np.ascontiguousarray(w[:, 0].transpose(1, 2, 0))
    bias = rng.standard_normal(16).astype(np.float32)
    depthwise.convolve_depthwise(x, taps, bias, stride, *before, 1.5, y)
    windows = np.lib.stride_tricks.sliding_window_view(np.minimum(padded, 1.5), (k, k), axis=(1, 2))
    expected = np.einsum('nhwcij,ijc->nhwc', windows[:, ::stride, ::stride], taps) + bias
    np.testing.assert_allclose(y, np.clip(expected, 0, 1.5), rtol=0, atol=1e-5)
    assert (y == 1.5).any() and (y == 0).any()


def plain_pool(x, stride, pad, reduce):
    n, height, width, channels = x.shape
    rows, columns = (height + 2 * pad - 3) // stride + 1, (width + 2 * pad - 3) // stride + 1
    y = np.empty((n, rows, columns, channels))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride - pad, j * stride - pad
            y[:, i, j] = reduce(x[:, max(top, 0):top + 3, max(left, 0):left + 3].astype(np.float64))
    return y


@pytest.mark.parametrize('size', [(8, 8), (7, 10), (3, 4)])
@pytest.mark.parametrize('kind, stride, pad', [
    ('max', 2, 0), ('max', 1, 1), ('average', 1, 1), ('padded average', 1, 1)])
def test_pools(size, kind, stride, pad):
    x = np.random.RandomState(0).standard_normal((2, *size, 5)).astype(np.float32) - 3
    expected = plain_pool(x, stride, pad, {
        'max': lambda window: window.max(axis=(1, 2)), 'average': lambda window: window.mean(axis=(1, 2)),
        'padded average': lambda window: window.sum(axis=(1, 2)) / 9}[kind])
    y = np.full((*expected.shape[:3], 8), 9, np.float32)
    if kind == 'max':
        pooling.max_3x3(x, stride, pad, y, 2)
    else:
        pooling.average_3x3(x, kind == 'padded average', y, 2)
    np.testing.assert_allclose(y[..., 2:7], expected, rtol=1e-6)
    assert (y[..., :2] == 9).all() and (y[..., 7:] == 9).all()


def test_mean():
    x = np.random.RandomState(0).standard_normal((3, 4, 5, 6)).astype(np.float32)
    y = np.empty((3, 6), np.float32)
    pooling.mean_of_pixels(x, y)
    np.testing.assert_allclose(y, x.mean(axis=(1, 2), dtype=np.float64), rtol=1e-5, atol=1e-7)


def test_resize():
    """Half way between two rows and a quarter between two columns; the shift comes before the factor."""
    ims = np.random.RandomState(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    y = np.empty((2, 1, 2, 3), np.float32)
    at = [np.array(place) for place in ([1], [2], [1, 4], [2, 4])]
    bilinear.resize(ims, at[0], at[1], np.array([.5], 'f4'), at[2], at[3], np.array([.25, 0], 'f4'), 10., 2., y)
    rows = ims[:, :, 1:3].mean(axis=2)
    expected = np.stack([.75 * rows[:, :, 1] + .25 * rows[:, :, 2], rows[:, :, 4]], axis=1)
    np.testing.assert_allclose(y[:, 0], 2 * (expected + 10), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize('width', [4, 8])
def test_on_narrower_machines(width, tmp_path):
    """The same tests with the vectors of machines without AVX-512, and without AVX2."""
    environment = {**os.environ, 'SNGAN_VECTOR_FLOATS': str(width), 'NUMBA_CACHE_DIR': str(tmp_path)}
    arguments = ['-q', '-k', 'test_convolution or test_bits', '-p', 'no:cacheprovider', __file__]
    done = subprocess.run([sys.executable, '-m', 'pytest', *arguments], capture_output=True, text=True,
                          env=environment, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-3000:]
    assert f'{2 * len(CONVOLUTIONS) + len(CONVOLUTIONS)} passed' in done.stdout
