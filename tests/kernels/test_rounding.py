"""The fused passes round as NumPy does, operation by operation: nothing is contracted or reordered by the compiler.

So a kernel gives the same bits, compiled in this process or loaded from the cache, at every width of vectors.
"""
from source.kernels.cpu import adam, bilinear, normalization

import numpy as np
import pytest

CHANNELS = [1, 24, 32, 64, 67, 128]


@pytest.fixture
def rng():
    return np.random.RandomState(0)


def _random(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('channels', CHANNELS)
def test_scale_shift(rng, channels):
    x, scale, shift = _random(rng, 3, 10, channels), _random(rng, 3, channels), _random(rng, 3, channels)
    y = np.empty_like(x)
    normalization._scale_shift(x, scale, shift, np.float32(.1), y)
    a = scale[:, None] * x + shift[:, None]
    np.testing.assert_array_equal(y, np.maximum(a, np.float32(.1) * a))


@pytest.mark.parametrize('channels', CHANNELS)
def test_gradient_of_batch_normalization(rng, channels):
    x, gy, scale, shift = (_random(rng, *shape) for shape in [(3, 10, channels)] * 2 + [(3, channels)] * 2)
    per_channel, x_coefficient = _random(rng, channels), _random(rng, channels)
    gx = np.empty_like(x)
    normalization._gradient(x, gy, scale, shift, np.float32(.1), per_channel, x_coefficient, gx)
    g = np.where(scale[:, None] * x + shift[:, None] > 0, gy, np.float32(.1) * gy)
    np.testing.assert_array_equal(gx, scale[:, None] * g + x_coefficient * x + per_channel)


@pytest.mark.parametrize('size', CHANNELS)
def test_adam(rng, size):
    param, grad, m, v = (_random(rng, size) for _ in range(4))
    v = abs(v)
    alpha_t, one_minus_beta1, one_minus_beta2, eps = (np.float32(a) for a in (2e-4, .5, .1, 1e-8))
    new_m = m + one_minus_beta1 * (grad - m)
    new_v = v + one_minus_beta2 * (grad * grad - v)
    new_param = param - alpha_t * new_m / (np.sqrt(new_v) + eps)
    adam.adam_update(param, grad, m, v, alpha_t, one_minus_beta1, one_minus_beta2, eps)
    for one, other in [(m, new_m), (v, new_v), (param, new_param)]:
        np.testing.assert_array_equal(one, other)


def test_resize(rng):
    ims, y = _random(rng, 2, 3, 4, 5), np.empty((2, 3, 4, 3), np.float32)
    top, bottom, left, right = (np.array(at) for at in ([0, 1, 2], [1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 4]))
    down, across = rng.rand(3).astype('f'), rng.rand(4).astype('f')
    bilinear.resize(ims, top, bottom, down, left, right, across, np.float32(3), np.float32(.7), y)
    rows = ims[:, :, :, left] + (ims[:, :, :, right] - ims[:, :, :, left]) * across
    above, below = rows[:, :, top], rows[:, :, bottom]
    expected = (above + (below - above) * down[:, None] + np.float32(3)) * np.float32(.7)
    np.testing.assert_array_equal(y, expected.transpose(0, 2, 3, 1))
