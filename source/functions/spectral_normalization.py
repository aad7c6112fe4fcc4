"""W / sigma(W) for given singular vectors u, v, with the gradient of eq. 10."""
import chainer.functions as F
from chainer import backend
from chainer.function_node import FunctionNode


class SpectralNormalization(FunctionNode):

    def __init__(self, u, v, factor=1.):
        self.u, self.v, self.factor = u, v, factor

    def forward(self, inputs):
        W, = inputs
        scale = self.factor / ((self.u @ W) * self.v).sum()
        self.retain_inputs((0,))
        return (W * scale).astype(W.dtype, copy=False),

    def backward(self, indexes, grad_outputs):
        W, = self.get_retained_inputs()
        return _SpectralNormalizationGrad(self.u, self.v, self.factor).apply((W, *grad_outputs))


class _SpectralNormalizationGrad(FunctionNode):
    """gW = (factor / sigma) (gW_bar - <gW_bar, W / sigma> u^T v)."""

    def __init__(self, u, v, factor):
        self.u, self.v, self.factor = u, v, factor

    def forward(self, inputs):
        W, gW_bar = inputs
        xp = backend.get_array_module(W)
        sigma = ((self.u @ W) * self.v).sum()
        inner = xp.vdot(gW_bar, W) / sigma
        self.retain_inputs((0, 1))
        gW = (self.u * (-inner)).T * self.v
        gW += gW_bar
        gW *= self.factor / sigma
        return gW.astype(W.dtype, copy=False),

    def backward(self, indexes, grad_outputs):
        """Gradients of L = <q, gW>, for gradient penalties."""
        W, g = self.get_retained_inputs()
        q, = grad_outputs
        P = self.u.T * self.v
        sigma = F.sum(W * P)
        q_P = F.sum(q * P)
        scale = self.factor / sigma

        def times(scalar, matrix):
            return F.broadcast_to(scalar, matrix.shape) * matrix
        gg = times(scale, q) - times(scale * q_P / sigma, W)
        gW = times(scale / sigma * (2 * F.sum(g * W) * q_P / sigma - F.sum(q * g)), P) - times(scale / sigma * q_P, g)
        return gW, gg


def spectral_normalization(W, u, v, factor=1.):
    """Divides W by its spectral norm, scaled by `factor` (eq. 8 and 22).

    Args:
        W: Variable (d_out, d_in).
        u, v: arrays (1, d_out) and (1, d_in), the first singular vectors, as `max_singular_value` returns them. They
            count as constants, so that backward gives eq. 12.
        factor: the spectral norm of the result.

    Returns:
        Variable (d_out, d_in).
    """
    return SpectralNormalization(u, v, factor).apply((W,))[0]
