"""The spectrally normalized links on a GPU do what they do on the CPU."""
from tests.links.sn_links import KINDS, WITH_GAMMA, converge, draw_x, make, singular_values

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.backends.cuda import to_cpu

pytestmark = pytest.mark.gpu


def pair(name, dtype=np.float32, **kwargs):
    on_gpu = make(name, dtype, **kwargs)
    on_gpu.to_device('@cupy:0')
    return make(name, dtype, **kwargs), on_gpu


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('options', [{}, {'Ip': 3, 'factor': .5}, {'use_gamma': True}, {'fully_differentiable': True}])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-3), (np.float64, 1e-6)])
def test_against_cpu(name, options, dtype, rtol):
    if 'use_gamma' in options and name not in WITH_GAMMA:
        pytest.skip('has no gamma')
    links = pair(name, dtype, **options)
    results = []
    for link in links:
        for train in (True, False, True):
            x = link.device.send(draw_x(name, dtype))
            x = chainer.Variable(x) if x.dtype.kind == 'f' else x
            link.cleargrads()
            with chainer.using_config('train', train):
                y = link(x)
            F.sum(y * link.device.send(np.random.RandomState(4).normal(size=y.shape).astype(dtype))).backward()
        grads = [to_cpu(param.grad) for _, param in sorted(link.namedparams())]
        results.append([to_cpu(y.array), to_cpu(link.u), *grads, *([to_cpu(x.grad)] if x.dtype.kind == 'f' else [])])
    for on_cpu, on_gpu in zip(*results, strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=rtol, atol=rtol * np.abs(on_cpu).max())


@pytest.mark.parametrize('name', KINDS)
def test_svd(name):
    _, link = pair(name)
    converge(link)
    np.testing.assert_allclose(singular_values(name, to_cpu(link.W_bar.array))[0], 1, rtol=1e-4)
    assert link.u is not None
    link.to_device('@numpy')
    assert isinstance(link.u, np.ndarray)
    link(draw_x(name))


@pytest.mark.parametrize('name', [name for name, kind in KINDS.items() if kind.lazy is not None])
def test_lazy(name):
    """Shapes and gamma's value are found on the GPU."""
    on_cpu, on_gpu = make(name, lazy=True, use_gamma=True), make(name, lazy=True, use_gamma=True)
    on_gpu.to_device('@cupy:0')
    with chainer.using_config('precision', 'float32'):
        y = on_gpu(on_gpu.device.send(draw_x(name)))
    np.testing.assert_allclose(to_cpu(y.array), on_cpu(draw_x(name)).array, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(to_cpu(on_gpu.gamma.array), on_cpu.gamma.array, rtol=1e-5)


@pytest.mark.parametrize('shape', [(1, 1), (5, 8), (1, 3000), (3000, 1), (260, 333), (1024, 9216)])
@pytest.mark.parametrize('dtype, atol', [(np.float32, 1e-4), (np.float64, 1e-10)])
def test_power_iteration(shape, dtype, atol):
    from source.kernels.power_iteration import power_iteration

    import cupy
    rng = np.random.RandomState(0)
    W, u = rng.normal(size=shape).astype(dtype), rng.normal(size=(1, shape[0])).astype(dtype)
    on_gpu = power_iteration(cupy.asarray(W), cupy.asarray(u), 2)
    again = power_iteration(cupy.asarray(W), cupy.asarray(u), 2)
    for expected, actual, repeated in zip(power_iteration(W, u, 2), on_gpu, again, strict=True):
        np.testing.assert_allclose(to_cpu(actual), expected, rtol=0, atol=atol)
        np.testing.assert_array_equal(to_cpu(actual), to_cpu(repeated))  # sums run in a fixed order
