from source.functions.max_sv import max_singular_value, max_singular_value_fully_differentiable

import chainer
import numpy as np
import pytest
from chainer import gradient_check

BOTH = [max_singular_value, max_singular_value_fully_differentiable]


def draw(d_out=5, d_in=8, seed=0):
    rng = np.random.RandomState(seed)
    return rng.normal(size=(d_out, d_in)), rng.normal(size=(1, d_out))


def iterate(W, u, Ip):
    """Algorithm 1 on vectors, beginning to end."""
    u = u[0]
    for _ in range(Ip):
        v = W.T @ u / np.linalg.norm(W.T @ u)
        u = W @ v / np.linalg.norm(W @ v)
    return u @ W @ v, u[None], v[None]


def arrays(*results):
    return [result.array if isinstance(result, chainer.Variable) else result for result in results]


@pytest.mark.parametrize('function', BOTH)
@pytest.mark.parametrize('Ip', [1, 2, 7])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_against_loop(function, Ip, dtype, rtol):
    W, u = draw()
    u_given = u.astype(dtype)
    sigma, u_new, v = arrays(*function(chainer.Variable(W.astype(dtype)), u_given, Ip))
    assert sigma.shape == () and u_new.shape == (1, 5) and v.shape == (1, 8)
    assert sigma.dtype == u_new.dtype == v.dtype == dtype
    for actual, expected in zip((sigma, u_new, v), iterate(W, u, Ip), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(u_given, u.astype(dtype))  # new arrays: the caller's is left alone


@pytest.mark.parametrize('function', BOTH)
@pytest.mark.parametrize('shape', [(5, 8), (8, 5), (1, 6), (6, 1)])
def test_converges_to_svd(function, shape):
    W, u = draw(*shape)
    left, singular_values, right = np.linalg.svd(W)
    sigma, u, v = arrays(*function(W, u, 300))
    np.testing.assert_allclose(sigma, singular_values[0], rtol=1e-9)
    np.testing.assert_allclose(u.T * v, np.outer(left[:, 0], right[0]), atol=1e-7)


@pytest.mark.parametrize('function', BOTH)
def test_random_start(function):
    W, _ = draw()
    np.random.seed(0)
    first = arrays(*function(W, Ip=1))
    second = arrays(*function(W, Ip=1))
    assert abs(first[0] - second[0]) > 1e-6
    np.testing.assert_allclose(arrays(*function(W, Ip=300))[0], np.linalg.svd(W)[1][0], rtol=1e-9)


@pytest.mark.parametrize('Ip', [1, 3])
def test_gradient_holds_u_and_v(Ip):
    """Eq. 9-11: d sigma / dW = u^T v, far from convergence too."""
    W, u = draw()
    W = chainer.Variable(W)
    sigma, u, v = max_singular_value(W, u, Ip)
    g, = chainer.grad([sigma], [W], enable_double_backprop=True)
    np.testing.assert_allclose(g.array, u.T @ v, atol=1e-14)
    np.testing.assert_allclose(g.array, np.outer(*iterate(W.array, draw()[1], Ip)[1:]), atol=1e-12)


@pytest.mark.parametrize('Ip', [1, 3])
def test_fully_differentiable_gradient(Ip):
    """Against differences of the whole loop, which u^T v does not match before convergence."""
    W, u = draw()
    x = chainer.Variable(W)
    sigma, u_new, v = max_singular_value_fully_differentiable(x, u, Ip)
    sigma.backward()
    numerical = np.empty_like(W)
    h = 1e-5
    for index in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[index] = h
        numerical[index] = (iterate(W + step, u, Ip)[0] - iterate(W - step, u, Ip)[0]) / (2 * h)
    np.testing.assert_allclose(x.grad, numerical, atol=1e-8)
    assert np.abs(x.grad - u_new.array.T @ v.array).max() > .01
    gradient_check.check_double_backward(
        lambda W: max_singular_value_fully_differentiable(W, u, Ip)[0], W, np.ones(()), np.ones_like(W), dtype='d',
        atol=1e-6, rtol=1e-6)


def test_gradients_agree_at_convergence():
    W, u = draw()
    u = np.linalg.svd(W)[0][:, :1].T
    grads = []
    for function in BOTH:
        x = chainer.Variable(W)
        function(x, u, 1)[0].backward()
        grads.append(x.grad)
    np.testing.assert_allclose(*grads, atol=1e-12)
    gradient_check.check_backward(lambda W: max_singular_value(W, u, 1)[0], W, np.ones(()), dtype='d')


@pytest.mark.parametrize('function', BOTH)
@pytest.mark.parametrize('W_shape, u_shape, Ip, message', [
    ((2, 3, 1), (1, 2), 1, r'\(2, 3, 1\)'),
    ((2, 3), (1, 2), 0, 'at least 1, got 0'),
    ((2, 3), (1, 3), 1, r'\(1, 2\).*\(1, 3\)'),
    ((2, 3), (2,), 1, r'\(1, 2\).*\(2,\)'),
])
def test_bad_arguments(function, W_shape, u_shape, Ip, message):
    with pytest.raises(ValueError, match=message):
        function(np.ones(W_shape, 'f'), np.ones(u_shape, 'f'), Ip)
