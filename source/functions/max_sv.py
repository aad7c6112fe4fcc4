"""Largest singular value by power iteration (Algorithm 1; eq. 18-22)."""
from source.kernels.power_iteration import EPS, power_iteration

import chainer
import chainer.functions as F
from chainer import backend


def _checked(W, u, Ip):
    if W.ndim != 2:
        raise ValueError(f'W must be a (d_out, d_in) matrix, got shape {W.shape}')
    if Ip < 1:
        raise ValueError(f'Ip, the number of power iterations, must be at least 1, got {Ip}')
    xp = backend.get_array_module(W)
    if u is None:
        return xp.random.normal(size=(1, W.shape[0])).astype(W.dtype)
    u = u.array if isinstance(u, chainer.Variable) else u
    if u.shape != (1, W.shape[0]):
        raise ValueError(f'u must have shape (1, {W.shape[0]}), as W is {W.shape}; got {u.shape}')
    return u


def max_singular_value(W, u=None, Ip=1):
    """Approximates the largest singular value of W, holding u and v constant when differentiated (eq. 9).

    Args:
        W: Variable or array (d_out, d_in).
        u: array (1, d_out), the left singular vector's estimate to start from; a random one if None.
        Ip: number of power iterations, at least 1.

    Returns:
        sigma: scalar Variable u W v^T (eq. 19), u: array (1, d_out), v: array (1, d_in), both of unit length.
        u and v hold *new* arrays: the caller decides whether to store them.
    """
    u = _checked(W, u, Ip)
    array = W.array if isinstance(W, chainer.Variable) else W
    u, v, _ = power_iteration(array, u, Ip)
    sigma = F.sum(F.matmul(u, W) * v)
    return sigma, u, v


def _l2normalize(x):
    return x / F.broadcast_to(F.sqrt(F.sum(x * x)) + EPS, x.shape)


def max_singular_value_fully_differentiable(W, u=None, Ip=1):
    """As `max_singular_value`, but gradients also flow through the power iteration, so u and v are Variables."""
    u = chainer.as_variable(_checked(W, u, Ip))
    for _ in range(Ip):
        v = _l2normalize(F.matmul(u, W))
        u = _l2normalize(F.matmul(v, W, transb=True))
    sigma = F.sum(F.matmul(u, W) * v)
    return sigma, u, v
