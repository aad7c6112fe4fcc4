"""The fused passes round as NumPy does, operation by operation: nothing is contracted or reordered by the compiler.

So a kernel gives the same bits, compiled in this process or loaded from the cache, at every width of vectors.
"""
from source.kernels.cpu import adam, bilinear, normalization

import numpy as np
import pytest


def draw(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('channels', [1, 24, 64, 67, 128])
def test_normalization_and_adam(channels):
    (x, gy), (scale, shift) = draw(2, 3, 10, channels), draw(2, 3, channels, seed=1)
    y, gx = np.empty_like(x), np.empty_like(x)
    normalization._scale_shift(x, scale, shift, np.float32(.1), y)
    a = scale[:, None] * x + shift[:, None]
    np.testing.assert_array_equal(y, np.maximum(a, np.float32(.1) * a))
    per_channel, x_coefficient = draw(channels, seed=4), draw(channels, seed=5)
    normalization._gradient(x, gy, scale, shift, np.float32(.1), per_channel, x_coefficient, gx)
    g = np.where(a > 0, gy, np.float32(.1) * gy)
    np.testing.assert_array_equal(gx, scale[:, None] * g + x_coefficient * x + per_channel)
    param, grad, m, v = (draw(channels, seed=i) for i in range(4))
    v = abs(v)
    alpha_t, one_minus_beta1, one_minus_beta2, eps = (np.float32(a) for a in (2e-4, .5, .1, 1e-8))
    new_m = m + one_minus_beta1 * (grad - m)
    new_v = v + one_minus_beta2 * (grad * grad - v)
    new_param = param - alpha_t * new_m / (np.sqrt(new_v) + eps)
    adam.adam_update(param, grad, m, v, alpha_t, one_minus_beta1, one_minus_beta2, eps)
    np.testing.assert_equal([m, v, param], [new_m, new_v, new_param])


def test_resize():
    ims, y = draw(2, 3, 4, 5), np.empty((2, 3, 4, 3), np.float32)
    top, bottom, left, right = (np.array(at) for at in ([0, 1, 2], [1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 4]))
    down, across = np.float32([0, .3, .7]), np.float32([.5, 0, .25, .9])
    bilinear.resize(ims, top, bottom, down, left, right, across, np.float32(3), np.float32(.7), y)
    rows = ims[:, :, :, left] + (ims[:, :, :, right] - ims[:, :, :, left]) * across
    above, below = rows[:, :, top], rows[:, :, bottom]
    expected = (above + (below - above) * down[:, None] + np.float32(3)) * np.float32(.7)
    np.testing.assert_array_equal(y, expected.transpose(0, 2, 3, 1))
