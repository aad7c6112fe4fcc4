from source.kernels.cpu import cook_toom

import numpy as np
import pytest


@pytest.mark.parametrize('n_outputs, n_taps, points', [
    (2, 3, (0, 1, -1)), (4, 3, (0, 1, -1, 2, -2)), (4, 2, (0, 1, -1, 2)), (1, 1, ())])
def test_correlation(n_outputs, n_taps, points):
    random = np.random.RandomState(0)
    A, G, B = cook_toom.matrices(n_outputs, n_taps, points)
    w, x = random.standard_normal(n_taps), random.standard_normal(n_outputs + n_taps - 1)
    np.testing.assert_allclose(A @ (G @ w * (B @ x)), np.correlate(x, w, 'valid'), rtol=1e-12)


def test_repeated_points_are_refused():
    with pytest.raises(ValueError, match='distinct'):
        cook_toom.matrices(2, 3, (0, 1, 1))
