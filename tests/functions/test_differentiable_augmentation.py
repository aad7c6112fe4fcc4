"""Differentiable augmentation against loops over images and pixels, its gradients, and how far its draws reach."""
from types import SimpleNamespace

from source.functions.differentiable_augmentation import N_DRAWS, POLICIES, augment, read_policies
from source.miscs.noise_sampler import NoiseSampler

import numpy as np
import pytest
from chainer import Variable, gradient_check

TOP = 1 - 2 ** -24  # the largest number that a sampler draws
ORDERS = [(name,) for name in POLICIES] + [('color', 'translation', 'cutout'), ('cutout', 'color')]


def draws(n, seed=0):
    return NoiseSampler(3, seed=seed).augmentation(n)


def images(shape, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape)


def color_loop(x, u):
    pixels = (x + u[0] - .5).reshape(len(x), -1)
    for k in range(pixels.shape[1]):
        grey = sum(pixels[:, k]) / len(x)
        pixels[:, k] = [grey + 2 * u[1] * (value - grey) for value in pixels[:, k]]
    grey = sum(pixels.ravel()) / pixels.size
    return (grey + (u[2] + .5) * (pixels - grey)).reshape(x.shape)


def translation_loop(x, u):
    _, H, W = x.shape
    down, right = (int(v * (2 * s + 1)) - s for v, s in ((u[3], round(H / 8)), (u[4], round(W / 8))))
    y = np.zeros_like(x)
    for i, j in np.ndindex(H, W):
        if 0 <= i + down < H and 0 <= j + right < W:
            y[:, i + down, j + right] = x[:, i, j]
    return y


def cutout_loop(x, u):
    _, H, W = x.shape
    h, w = (H + 1) // 2, (W + 1) // 2
    row, column = int(u[5] * (H + (h % 2 == 0))), int(u[6] * (W + (w % 2 == 0)))
    y = x.copy()
    for i, j in np.ndindex(H, W):
        if 0 <= i - row + h // 2 < h and 0 <= j - column + w // 2 < w:
            y[:, i, j] = 0
    return y


LOOPS = {'color': color_loop, 'translation': translation_loop, 'cutout': cutout_loop}


@pytest.mark.parametrize('policies', ORDERS, ids=','.join)
@pytest.mark.parametrize('shape', [(12, 3, 8, 8), (12, 1, 9, 14)])
def test_against_loops(policies, shape):
    """On both layouts of memory, in the order given, float32 and float64."""
    x, u = images(shape), draws(shape[0])
    u[:2] = [[0.], [TOP]]
    expected = x
    for name in policies:
        expected = np.stack([LOOPS[name](one, row) for one, row in zip(expected, u.astype('d'), strict=True)])
    for dtype, atol in (('d', 1e-12), ('f', 1e-5)):
        for memory in (x, x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)):
            y = augment(memory.astype(dtype), u, policies)
            assert y.dtype == dtype
            np.testing.assert_allclose(y.array, expected, rtol=0, atol=atol)


@pytest.mark.parametrize('policies', ORDERS, ids=','.join)
def test_gradients(policies):
    x, gy, ggx = (images((3, 2, 9, 8), seed) for seed in range(3))
    u = draws(3).astype('d')
    gradient_check.check_backward(lambda x: augment(x, u, policies), x, gy, dtype='d', atol=1e-7)
    gradient_check.check_double_backward(lambda x: augment(x, u, policies) ** 2, x, gy, ggx, dtype='d', atol=1e-6)
    if 'color' not in policies:  # linear, so the gradient is the transpose: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩
        x = Variable(x)
        y = augment(x, u, policies)
        y.grad = gy
        y.backward()
        assert np.sum(y.array * gy) == pytest.approx(np.sum(x.array * x.grad), rel=1e-12)


@pytest.mark.parametrize('size, reach', [(32, 4), (9, 1), (3, 0)])
def test_shifts_and_places(size, reach):
    """All are reached and no other, each as often as the next, ends included."""
    n, extent = 4000, (size + 1) // 2
    u = draws(n)
    u[:2] = [[0.], [TOP]]
    x = np.ones((n, 1, size, size), 'f')
    numbered = augment(x * np.arange(1, size + 1).astype('f')[:, None], u, ['translation']).array
    shifts = size // 2 + 1 - numbered[:, 0, size // 2, size // 2]
    rows = (augment(x, u, ['cutout']).array == 0).any((1, 3))
    first, last = rows.argmax(1), size - rows[:, ::-1].argmax(1)
    assert (shifts[0], shifts[1], first[0], last[1]) == (-reach, reach, 0, size)
    assert set(last - first) == set(range((extent + 1) // 2, extent + 1))
    for found, expected in ((shifts, 2 * reach + 1), (first + last, size + 1 - extent % 2)):
        _, counts = np.unique(found, return_counts=True)
        assert len(counts) == expected and np.abs(counts - n / expected).max() < 5 * np.sqrt(n / expected)


def test_draws():
    u = draws(20000)
    assert u.dtype == np.float32 and u.shape == (20000, N_DRAWS) and u.min() >= 0
    np.testing.assert_allclose([u.mean(0), u.var(0) * 12], [[.5] * 7, [1.] * 7], atol=.02)
    assert np.abs(np.corrcoef(u.T) - np.eye(7)).max() < .03
    sampler = NoiseSampler(3)
    sampler.rng = SimpleNamespace(randint=lambda high, size: np.full(size, high - 1))
    assert sampler.augmentation(1).max() == np.float32(TOP) < 1


def test_names():
    for value, expected in ((None, ()), ([], ()), ('', ()), ('cutout, color', ('cutout', 'color')), (['color'],) * 2):
        assert read_policies(value) == tuple(expected)
    for value in ('flip', ['color', 'color'], 'color,', True, {'color': 1}, [['color']]):
        with pytest.raises(ValueError, match='^augmentation: expected a list of color, translation, cutout, each once'):
            read_policies(value)
