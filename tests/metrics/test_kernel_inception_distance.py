from source.metrics.kernel_inception_distance import kernel_inception_distance

import numpy as np
import pytest


def slow_distance(x, y):
    """The unbiased estimate, pair by pair."""
    def kernel(a, b):
        return (sum(p * q for p, q in zip(a, b)) / len(a) + 1.) ** 3
    n = len(x)
    pairs = [(i, j) for i in range(n) for j in range(n)]
    within = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) for i, j in pairs if i != j) / (n * (n - 1))
    return within - 2. * sum(kernel(x[i], y[j]) for i, j in pairs) / n ** 2


def test_agrees_with_plain_loops_over_the_same_subsets():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(15, 4)), rng.normal(size=(11, 4)) + .5
    draws = np.random.RandomState(3)
    expected = []
    for _ in range(5):
        rows_x, rows_y = (draws.choice(n, 6, replace=False) for n in (15, 11))
        expected.append(slow_distance(x[rows_x].tolist(), y[rows_y].tolist()))
    found = kernel_inception_distance(x, y, 5, 6, np.random.RandomState(3))
    assert found == pytest.approx((np.mean(expected), np.std(expected)), rel=1e-12)
    assert kernel_inception_distance(x, y, 5, 6) == kernel_inception_distance(x, y, 5, 6)


def test_closed_form_of_shifted_points():
    """All features equal a in one set and b in the other: k(a, a) + k(b, b) - 2 k(a, b)."""
    a, b = np.array([1., 2.]), np.array([0., 1.])
    expected = (5. / 2 + 1) ** 3 + (1. / 2 + 1) ** 3 - 2. * (2. / 2 + 1) ** 3
    assert kernel_inception_distance(np.tile(a, (9, 1)), np.tile(b, (8, 1)), 3, 7) == pytest.approx(
        (expected, 0.), abs=1e-12)


@pytest.mark.parametrize('n0, n1, n_subsets, size, has_std', [
    (9, 9, 5, 9, False), (9, 12, 1, 9, False), (9, 12, 5, 9, True), (12, 9, 5, 9, True), (9, 9, 5, 8, True)])
def test_one_value_has_no_spread(n0, n1, n_subsets, size, has_std):
    """One pair of subsets, or every pair of the same rows."""
    rng = np.random.default_rng(2)
    feats = rng.normal(size=(n0, 4)), rng.normal(size=(n1, 4))
    mean, std = kernel_inception_distance(*feats, n_subsets, size)
    assert std > 1e-6 if has_std else std is None
    if n0 == n1 == size:
        assert mean == pytest.approx(slow_distance(*(x.tolist() for x in feats)), rel=1e-12)


def test_float32_is_computed_in_float64():
    feats = [np.random.default_rng(k).normal(size=(50, 8)).astype(np.float32) + 3. for k in (0, 1)]
    exact = [x.astype(np.float64) for x in feats]
    assert kernel_inception_distance(*feats, 4, 40) == kernel_inception_distance(*exact, 4, 40)


@pytest.mark.parametrize('shapes, arguments, message', [
    (((5, 2), (5, 3)), (1, 4), r'of one D, got \(5, 2\) and \(5, 3\)'),
    (((5,), (5, 2)), (1, 4), 'of one D'),
    (((5, 2), (9, 2)), (1, 6), 'at least 6 features on either side, got 5 and 9'),
    (((5, 2), (5, 2)), (0, 4), 'n_subsets >= 1'), (((5, 2), (5, 2)), (1, 1), 'subset_size >= 2')])
def test_refuses(shapes, arguments, message):
    with pytest.raises(ValueError, match=message):
        kernel_inception_distance(*map(np.zeros, shapes), *arguments)
