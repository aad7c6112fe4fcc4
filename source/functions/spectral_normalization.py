"""W / sigma(W) for given singular vectors u, v, with the gradient of eq. 10."""
from source.kernels.switch import cpu_kernels_serve

import chainer
import chainer.functions as F
from chainer import backend
from chainer.function_node import FunctionNode


class SpectralNormalization(FunctionNode):
    """W of any shape that is (d_out, d_in) when its axes but the first are joined."""

    def __init__(self, u, v, factor=1., sigma=None):
        self.u, self.v, self.factor, self.sigma = u, v, factor, sigma

    def forward(self, inputs):
        W, = inputs
        self.retain_inputs((0,))
        if self.sigma is None:
            self.sigma = ((self.u @ W.reshape(self.u.size, self.v.size)) * self.v).sum()
        return (W * (self.factor / self.sigma)).astype(W.dtype, copy=False),

    def backward(self, indexes, grad_outputs):
        W, = self.get_retained_inputs()
        gradient = _SpectralNormalizationGrad(self.u, self.v, self.factor, self.sigma)
        if chainer.config.enable_backprop:
            return gradient.apply((W, *grad_outputs))
        return chainer.Variable(gradient.gradient(W.array, grad_outputs[0].array), requires_grad=False),


class _SpectralNormalizationGrad(FunctionNode):
    """gW = (factor / sigma) (gW_bar - <gW_bar, W / sigma> u^T v)."""

    def __init__(self, u, v, factor, sigma):
        self.u, self.v, self.factor, self.sigma = u, v, factor, sigma

    def _as_matrix(self, x):
        return x.reshape(self.u.size, self.v.size)

    def forward(self, inputs):
        self.retain_inputs((0, 1))
        return self.gradient(*inputs),

    def gradient(self, W, gW_bar):
        """An array of W's shape, from arrays."""
        shape = W.shape
        W, gW_bar = self._as_matrix(W), self._as_matrix(gW_bar)
        if cpu_kernels_serve(W, gW_bar, self.u, self.v) and W.flags.c_contiguous:
            from source.kernels.cpu.spectral_normalization import gradient
            return gradient(W, gW_bar, self.u, self.v, self.sigma, self.factor).reshape(shape)
        inner = backend.get_array_module(W).vdot(gW_bar, W) / self.sigma
        gW = (self.u * (-inner)).T * self.v
        gW += gW_bar
        gW *= self.factor / self.sigma
        return gW.astype(W.dtype, copy=False).reshape(shape)

    def backward(self, indexes, grad_outputs):
        """Gradients of L = <q, gW>, for gradient penalties."""
        shape = grad_outputs[0].shape
        W, g, q = map(self._as_matrix, (*self.get_retained_inputs(), *grad_outputs))
        P = self.u.T * self.v
        sigma = F.sum(W * P)
        q_P = F.sum(q * P)
        scale = self.factor / sigma

        def times(scalar, matrix):
            return F.broadcast_to(scalar, matrix.shape) * matrix
        gg = times(scale, q) - times(scale * q_P / sigma, W)
        gW = times(scale / sigma * (2 * F.sum(g * W) * q_P / sigma - F.sum(q * g)), P) - times(scale / sigma * q_P, g)
        return gW.reshape(shape), gg.reshape(shape)


def spectral_normalization(W, u, v, factor=1., sigma=None):
    """Divides W by its spectral norm, scaled by `factor` (eq. 8 and 22).

    Args:
        W: Variable (d_out, d_in), or of a shape (d_out, …) that becomes so.
        u, v: arrays (1, d_out) and (1, d_in), the first singular vectors, as `max_singular_value` returns them. They
            count as constants, so that backward gives eq. 12.
        factor: the spectral norm of the result.
        sigma: u W v^T (eq. 19), where it is known already.

    Returns:
        Variable of W's shape.
    """
    return SpectralNormalization(u, v, factor, sigma).apply((W,))[0]
