import shutil
import subprocess
import sys

from source.kernels import power_iteration as module
from source.kernels.power_iteration import cuda_source, power_iteration
from tests.functions.cuda_on_host import FakeCupy

import numpy as np
import pytest

SHAPES = [(1, 1), (5, 8), (1, 300), (300, 1), (33, 70), (70, 33), (260, 31)]


def draw(shape, dtype):
    rng = np.random.RandomState(0)
    return rng.normal(size=shape).astype(dtype), rng.normal(size=(1, shape[0])).astype(dtype)


def loop(W, u, Ip):
    W, u = W.astype(np.float64), u[0].astype(np.float64)
    for _ in range(Ip):
        v = W.T @ u / np.linalg.norm(W.T @ u)
        u = W @ v / np.linalg.norm(W @ v)
    return u[None], v[None], u @ W @ v


def check(run, shape, dtype, Ip):
    W, u = draw(shape, dtype)
    u_before = u.copy()
    rtol = {np.float32: 1e-5, np.float64: 1e-11}[dtype]
    for actual, expected in zip(run(W, u, Ip), loop(W, u, Ip), strict=True):
        assert actual.dtype == dtype and actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(u, u_before)


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
@pytest.mark.parametrize('Ip', [1, 4])
def test_numpy(shape, dtype, Ip):
    check(power_iteration, shape, dtype, Ip)


def test_zero_matrix():
    u, v, sigma = power_iteration(np.zeros((2, 3), 'f'), np.ones((1, 2), 'f'))
    np.testing.assert_array_equal(u, np.zeros((1, 2)))
    np.testing.assert_array_equal(v, np.zeros((1, 3)))
    assert sigma == 0


@pytest.fixture(scope='module')
def fake_cupy(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        fake = FakeCupy(tmp_path_factory.mktemp('cuda_on_host'))
        patch.setitem(sys.modules, 'cupy', fake)
        patch.setattr(module, '_modules', {})
        yield fake


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_cuda_kernels_on_host(fake_cupy, shape, dtype):
    check(module._power_iteration_cupy, shape, dtype, 2)


def test_cuda_kernels_on_host_take_views(fake_cupy):
    W, u = draw((33, 70), np.float64)
    for actual, expected in zip(module._power_iteration_cupy(W.T[::2], u[:, :1].repeat(35, 1), 1),
                                loop(W.T[::2], u[:, :1].repeat(35, 1), 1), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_cuda_kernels_on_host_zero_matrix(fake_cupy):
    u, v, sigma = module._power_iteration_cupy(np.zeros((2, 3), 'f'), np.ones((1, 2), 'f'), 1)
    np.testing.assert_array_equal(u, np.zeros((1, 2)))
    np.testing.assert_array_equal(v, np.zeros((1, 3)))
    assert sigma == 0


def test_three_launches_a_round(fake_cupy):
    fake_cupy.launches.clear()
    module._power_iteration_cupy(*draw((5, 8), np.float32), 3)
    assert len(fake_cupy.launches) == 9


def test_unsupported_dtype():
    with pytest.raises(TypeError, match='float16'):
        cuda_source(np.float16)


@pytest.mark.skipif(shutil.which('nvcc') is None, reason='needs nvcc')
@pytest.mark.parametrize('dtype', ['f', 'd'])
@pytest.mark.parametrize('arch', ['sm_80', 'sm_90'])
def test_cuda_source_compiles(tmp_path, dtype, arch):
    source, ptx = tmp_path / 'power_iteration.cu', tmp_path / 'power_iteration.ptx'
    source.write_text(cuda_source(dtype))
    subprocess.run(['nvcc', f'-arch={arch}', '-ptx', '-Werror', 'all-warnings', '-o', ptx, source], check=True)
    text = ptx.read_text()
    assert f'.target {arch}' in text
    for kernel in ('columns_dot', 'rows_dot', 'normalize'):
        assert f'.entry {kernel}(' in text
