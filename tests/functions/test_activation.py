from source.functions.activation import LeakyReLU, activate

import chainer
import chainer.functions as F
import numpy as np
import pytest

ACTIVATIONS = {'relu': (F.relu, F.relu), 'leaky': (LeakyReLU(.1), lambda x: F.leaky_relu(x, .1)),
               'leaky 1': (LeakyReLU(1.), lambda x: x), 'leaky 1.5': (LeakyReLU(1.5), lambda x: F.leaky_relu(x, 1.5)),
               'elu': (F.elu, F.elu), 'none': (None, lambda x: x)}


def draw(shape, dtype=np.float32):
    x = np.random.RandomState(0).normal(size=shape).astype(dtype)
    x.flat[::7] = 0
    return x


@pytest.mark.parametrize('name, shape, dtype', [
    *((name, (2, 3, 5, 4), np.float32) for name in ACTIVATIONS), ('relu', (2, 6), np.float32),
    ('leaky', (2, 6), np.float32), ('leaky', (2, 3, 5, 4), np.float64), ('none', (2, 6), np.float64)])
def test_is_chainers(name, shape, dtype):
    """Values, gradients and the gradients of those."""
    activation, reference = ACTIVATIONS[name]
    results = []
    for function in (lambda x: activate(activation, x), reference):
        x = chainer.Variable(draw(shape, dtype))
        y = function(x)
        gx, = chainer.grad([F.sum(y ** 3)], [x], enable_double_backprop=True)
        ggx, = chainer.grad([F.sum(gx ** 2)], [x])
        results.append([v.array for v in (y, gx, ggx)])
    for actual, expected in zip(*results, strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_channels_last_memory():
    x = chainer.Variable(draw((2, 5, 4, 3)).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(activate(F.relu, x).array, np.maximum(x.array, 0))


@pytest.mark.parametrize('activation, on_kernels', [(F.relu, True), (LeakyReLU(1.), True), (LeakyReLU(1.5), False)])
def test_runs_on_the_kernels(activation, on_kernels):
    x = chainer.Variable(draw((2, 3, 4, 4)))
    assert (type(activate(activation, x).creator).__name__ == '_Activation') == on_kernels
    with chainer.using_config('cpu_kernels', False):
        assert type(activate(activation, x).creator).__name__ in ('ReLU', 'LeakyReLU')
