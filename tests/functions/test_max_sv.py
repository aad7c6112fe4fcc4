from source.functions.max_sv import max_singular_value, max_singular_value_fully_differentiable

import chainer
import numpy as np
import pytest
from chainer import gradient_check

both = pytest.mark.parametrize('function', [max_singular_value, max_singular_value_fully_differentiable])


def draw(d_out=5, d_in=8):
    rng = np.random.RandomState(0)
    return rng.normal(size=(d_out, d_in)), rng.normal(size=(1, d_out))


def iterate(W, u, Ip):
    """Algorithm 1 on vectors, beginning to end."""
    u = u[0]
    for _ in range(Ip):
        v = W.T @ u / np.linalg.norm(W.T @ u)
        u = W @ v / np.linalg.norm(W @ v)
    return u @ W @ v, u[None], v[None]


def arrays(*results):
    return [chainer.as_array(result) for result in results]


@both
@pytest.mark.parametrize('kwargs, dtype, rtol', [
    ({}, np.float64, 1e-10), ({'Ip': 2}, np.float32, 1e-5), ({'Ip': 7}, np.float64, 1e-10)])
def test_against_loop(function, kwargs, dtype, rtol):
    W, u = draw()
    u_given = u.astype(dtype)
    sigma, u_new, v = arrays(*function(chainer.Variable(W.astype(dtype)), u_given, **kwargs))
    assert sigma.shape == () and u_new.shape == (1, 5) and v.shape == (1, 8)
    assert sigma.dtype == u_new.dtype == v.dtype == dtype
    for actual, expected in zip((sigma, u_new, v), iterate(W, u, kwargs.get('Ip', 1)), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(u_given, u.astype(dtype))  # new arrays: the caller's is left alone


@both
def test_random_start(function):
    W, _ = draw()
    first, second = arrays(*function(W)), arrays(*function(W))
    assert abs(first[0] - second[0]) > 1e-6
    left, singular_values, right = np.linalg.svd(W)
    sigma, u, v = arrays(*function(W, Ip=300))
    np.testing.assert_allclose(sigma, singular_values[0], rtol=1e-9)
    np.testing.assert_allclose(u.T * v, np.outer(left[:, 0], right[0]), atol=1e-7)


def test_gradient_holds_u_and_v():
    """Eq. 9-11: d sigma / dW = u^T v, far from convergence too."""
    W, u = draw()
    x = chainer.Variable(W)
    sigma, _, _ = max_singular_value(x, u, 3)
    g, = chainer.grad([sigma], [x], enable_double_backprop=True)
    np.testing.assert_allclose(g.array, np.outer(*iterate(W, u, 3)[1:]), atol=1e-12)


def test_fully_differentiable_gradient():
    """That of the whole loop, which u^T v is not before convergence."""
    W, u = draw()

    def sigma(W):
        return max_singular_value_fully_differentiable(W, u, 3)[0]
    gradient_check.check_backward(sigma, W, None, dtype='d', atol=1e-7, rtol=1e-6)
    gradient_check.check_double_backward(sigma, W, np.ones(()), np.ones_like(W), dtype='d', eps=1e-4, atol=1e-6,
                                         rtol=1e-6)


@both
@pytest.mark.parametrize('W_shape, u_shape, Ip, message', [
    ((2, 3, 1), (1, 2), 1, r'\(2, 3, 1\)'), ((2, 3), (1, 2), 0, 'at least 1, got 0'),
    ((2, 3), (1, 3), 1, r'\(1, 2\).*\(1, 3\)'), ((2, 3), (2,), 1, r'\(1, 2\).*\(2,\)')])
def test_bad_arguments(function, W_shape, u_shape, Ip, message):
    with pytest.raises(ValueError, match=message):
        function(np.ones(W_shape, 'f'), np.ones(u_shape, 'f'), Ip)
