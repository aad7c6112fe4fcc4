from source.metrics.ms_ssim import ms_ssim

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

WEIGHTS = [.0448, .2856, .3001, .2363, .1333]


def slow_window(size, sigma):
    radius, offset, stop = size // 2, 0., size // 2 + 1
    if size % 2 == 0:
        offset, stop = .5, stop - 1
    x, y = np.mgrid[offset - radius:stop, offset - radius:stop]
    window = np.exp(-(x ** 2 + y ** 2) / (2. * sigma ** 2))
    return window / window.sum()


def slow_ms_ssim(x, y):
    """One pair (C, H, W), as TensorFlow's reference code describes it: scipy's convolutions, channel by channel."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    score = 1.
    for scale, weight in enumerate(WEIGHTS):
        size = min(11, *x.shape[1:])
        window = slow_window(size, size * 1.5 / 11)

        def blur(ims, window=window):
            return np.stack([scipy.signal.convolve2d(im, window, mode='valid') for im in ims])
        mx, my = blur(x), blur(y)
        xx, yy, xy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        c1, c2 = (.01 * 255) ** 2, (.03 * 255) ** 2
        contrast = (2 * xy + c2) / (xx + yy + c2)
        similarity = contrast * (2 * mx * my + c1) / (mx * mx + my * my + c1)
        factor = similarity.mean() if scale == 4 else contrast.mean()
        score *= max(factor, 0.) ** weight
        x, y = (np.stack([scipy.ndimage.convolve(im, np.full((2, 2), .25), mode='reflect')[::2, ::2] for im in ims])
                for ims in (x, y))
    return score


def pairs(height, width, n=2, noise=40.):
    """Smooth images and noisy ones of them."""
    rng = np.random.default_rng(height)
    x = scipy.ndimage.gaussian_filter(rng.normal(size=(n, 3, height, width)), (0, 0, 2, 2))
    x = 128. + 90. * x / np.abs(x).max()
    return tuple(np.rint(ims).clip(0, 255).astype(np.uint8) for ims in (x, x + noise * rng.normal(size=x.shape)))


@pytest.mark.parametrize('height, width', [(16, 16), (32, 32), (48, 48), (33, 47), (128, 128), (176, 180)])
def test_agrees_with_scipy(height, width):
    x, y = pairs(height, width)
    expected = [slow_ms_ssim(*pair) for pair in zip(x, y)]
    assert all(.05 < value < .99 for value in expected)
    np.testing.assert_allclose(ms_ssim(x, y), expected, rtol=1e-9)
    assert ms_ssim(x, y).dtype == np.float64


def test_less_alike_scores_lower():
    x, _ = pairs(64, 64)
    scores = [ms_ssim(x, pairs(64, 64, noise=noise)[1]).mean() for noise in (5., 20., 80.)]
    assert 1. > scores[0] > scores[1] > scores[2] > 0.
    assert (ms_ssim(x, 255 - x) == 0.).all()  # a negative contrast counts as none
    np.testing.assert_allclose(ms_ssim(x[:1], x[1:]), ms_ssim(x[1:], x[:1]), rtol=1e-12)


@pytest.mark.parametrize('x, y, message', [
    (np.zeros((1, 3, 15, 20)), np.zeros((1, 3, 15, 20)), 'at least 16 px'),
    (np.zeros((1, 3, 20, 20)), np.zeros((2, 3, 20, 20)), 'of one shape'),
    (np.zeros((3, 20, 20)), np.zeros((3, 20, 20)), r'\(N, C, H, W\)'),
    (np.zeros((1, 3, 20, 20)), np.full((1, 3, 20, 20), 256.), 'from 0 to 255'),
    (np.full((1, 3, 20, 20), -1.), np.zeros((1, 3, 20, 20)), 'from 0 to 255'),
    (np.full((1, 3, 20, 20), np.nan), np.zeros((1, 3, 20, 20)), 'from 0 to 255')])
def test_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        ms_ssim(x, y)
