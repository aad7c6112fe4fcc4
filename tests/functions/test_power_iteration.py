import sys

from source.kernels import power_iteration as module
from source.kernels.power_iteration import cuda_source, power_iteration
from tests.functions.cuda_on_host import FakeCupy, folder_of_the_run

import numpy as np
import pytest

CASES = [((1, 1), 'f', 1), ((5, 8), 'd', 1), ((5, 8), 'f', 4), ((1, 300), 'f', 1), ((300, 1), 'd', 4),
         ((33, 70), 'f', 2), ((70, 33), 'd', 2), ((260, 31), 'f', 1)]


def draw(shape, dtype):
    rng = np.random.RandomState(0)
    return rng.normal(size=shape).astype(dtype), rng.normal(size=(1, shape[0])).astype(dtype)


def check(run, W, u, *Ip):
    u_before, rtol = u.copy(), {'f': 1e-5, 'd': 1e-11}[W.dtype.char]
    M, u_expected = W.astype(np.float64), u[0].astype(np.float64)
    for _ in range(*(Ip or (1,))):
        v = M.T @ u_expected / np.linalg.norm(M.T @ u_expected)
        u_expected = M @ v / np.linalg.norm(M @ v)
    for actual, expected in zip(run(W, u, *Ip), (u_expected[None], v[None], u_expected @ M @ v), strict=True):
        assert actual.dtype == W.dtype and actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(u, u_before)


def check_zero_matrix(run):
    u, v, sigma = run(np.zeros((2, 3), 'f'), np.ones((1, 2), 'f'), 1)
    np.testing.assert_array_equal(u, np.zeros((1, 2)))
    np.testing.assert_array_equal(v, np.zeros((1, 3)))
    assert sigma == 0


@pytest.mark.parametrize('shape, dtype, Ip', CASES)
def test_numpy(shape, dtype, Ip):
    check(power_iteration, *draw(shape, dtype), Ip)


def test_one_round_of_numpy_unless_told():
    check(power_iteration, *draw((5, 8), 'd'))


def test_zero_matrix():
    check_zero_matrix(power_iteration)


@pytest.fixture(scope='module')
def fake_cupy(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        fake = FakeCupy(folder_of_the_run(tmp_path_factory))
        patch.setitem(sys.modules, 'cupy', fake)
        patch.setattr(module, '_modules', {})
        yield fake


@pytest.mark.parametrize('shape, dtype, Ip', CASES)
def test_cuda_kernels_on_host(fake_cupy, shape, dtype, Ip):
    """With three launches a round."""
    fake_cupy.launches.clear()
    check(module._power_iteration_cupy, *draw(shape, dtype), Ip)
    assert len(fake_cupy.launches) == 3 * Ip


def test_cuda_kernels_on_host_take_views(fake_cupy):
    W, u = draw((33, 70), 'd')
    check(module._power_iteration_cupy, W.T[::2], u[:, :1].repeat(35, 1), 1)


def test_cuda_kernels_on_host_zero_matrix(fake_cupy):
    check_zero_matrix(module._power_iteration_cupy)


def test_unsupported_dtype():
    with pytest.raises(TypeError, match='float32 or float64 on a GPU, not float16'):
        cuda_source(np.float16)
