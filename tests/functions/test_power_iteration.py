import sys

from source.kernels import power_iteration as module
from source.kernels.power_iteration import cuda_source, power_iteration
from tests.functions.cuda_on_host import FakeCupy, folder_of_the_run
from tests.functions.test_max_sv import draw, iterate

import numpy as np
import pytest

CASES = [((1, 1), 'f', 1), ((5, 8), 'd', 1), ((5, 8), 'f', 4), ((1, 300), 'f', 1), ((300, 1), 'd', 4),
         ((33, 70), 'f', 2), ((70, 33), 'd', 2), ((260, 31), 'f', 1)]


def check(run, W, u, *Ip):
    u_before, rtol = u.copy(), {'f': 1e-5, 'd': 1e-11}[W.dtype.char]
    sigma, u_new, v = iterate(W.astype(np.float64), u.astype(np.float64), *(Ip or (1,)))
    for actual, expected in zip(run(W, u, *Ip), (u_new, v, sigma), strict=True):
        assert actual.dtype == W.dtype and actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(u, u_before)


@pytest.fixture(scope='module', params=['numpy', 'cuda'])
def run(request, tmp_path_factory):
    """NumPy's, or the CUDA kernels on the host, with three launches a round."""
    if request.param == 'numpy':
        yield power_iteration
        return
    with pytest.MonkeyPatch.context() as patch:
        fake = FakeCupy(folder_of_the_run(tmp_path_factory))
        patch.setitem(sys.modules, 'cupy', fake)
        patch.setattr(module, '_modules', {})

        def launched(W, u, Ip=1):
            fake.launches.clear()
            results = module._power_iteration_cupy(W, u, Ip)
            assert len(fake.launches) == 3 * Ip
            return results
        yield launched


@pytest.mark.parametrize('shape, dtype, Ip', CASES)
def test_rounds(run, shape, dtype, Ip):
    check(run, *(array.astype(dtype) for array in draw(*shape)), Ip)


def test_one_round_of_views(run):
    W, u = draw(33, 70)
    check(run, W.T[::2], u[:, :1].repeat(35, 1))


def test_zero_matrix(run):
    u, v, sigma = run(np.zeros((2, 3), 'f'), np.ones((1, 2), 'f'), 1)
    assert u.shape == (1, 2) and v.shape == (1, 3) and not u.any() and not v.any() and sigma == 0


def test_unsupported_dtype():
    with pytest.raises(TypeError, match='float32 or float64 on a GPU, not float16'):
        cuda_source(np.float16)
