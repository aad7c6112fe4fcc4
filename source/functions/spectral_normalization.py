"""W / sigma(W) for given singular vectors u, v, with the gradient of eq. 10."""
from source.kernels.switch import kernels

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
        kernel = kernels('spectral_normalization.gradient', W, gW_bar, self.u, self.v)
        if kernel is not None and W.flags.c_contiguous:
            return kernel.gradient(W, gW_bar, self.u, self.v, self.sigma, self.factor).reshape(shape)
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


class JointSpectralNormalization(FunctionNode):
    """`SpectralNormalization` of several weights, on kernels that take all of them at once.

    Attributes, after `apply`: `us`, arrays (1, d_out), the singular vectors the iterations ended with.
    """

    def __init__(self, kernel, us, factors, Ip):
        self.kernel, self.us, self.factors, self.Ip = kernel, us, factors, Ip

    def forward(self, inputs):
        self.retain_inputs(tuple(range(len(inputs))))
        Ws = self._as_matrices(inputs)
        self.us, self.vs, self.sigmas = self.kernel.power_iterations(Ws, self.us, self.Ip)
        W_bars = self.kernel.normalized(Ws, self.sigmas, self.factors)
        return tuple(W_bar.reshape(W.shape) for W, W_bar in zip(inputs, W_bars, strict=True))

    def _as_matrices(self, arrays):
        return [array.reshape(len(array), -1) if array.flags.c_contiguous else
                array.copy(order='C').reshape(len(array), -1) for array in arrays]

    def backward(self, indexes, grad_outputs):
        Ws = self.get_retained_inputs()
        if chainer.config.enable_backprop:
            return [None if grad_outputs[i] is None else _SpectralNormalizationGrad(
                self.us[i], self.vs[i], self.factors[i], self.sigmas[i]).apply((Ws[i], grad_outputs[i]))[0]
                for i in indexes]
        xp = backend.get_array_module(Ws[0])
        arrays = [W.array for W in Ws]
        gW_bars = [xp.zeros_like(W) if g is None else g.array for W, g in zip(arrays, grad_outputs, strict=True)]
        gWs = self.kernel.gradients(self._as_matrices(arrays), self._as_matrices(gW_bars), self.us, self.vs,
                                    self.sigmas, self.factors)
        return [None if grad_outputs[i] is None else
                chainer.Variable(gWs[i].reshape(Ws[i].shape), requires_grad=False) for i in indexes]


def joint_spectral_normalization(Ws, us, factors, Ip=1):
    """Divides each of Ws by its spectral norm, after Ip power iterations from its u, on the GPU's kernels or twins.

    Args:
        Ws: Variables (d_out, …), float32.
        us: arrays (1, d_out), which stay as they are.
        factors: the spectral norms of the results.
        Ip: number of power iterations.

    Returns:
        Variables of the Ws' shapes, and new us.
    """
    function = JointSpectralNormalization(kernels('spectral_normalization.power_iterations', *Ws, *us), us, factors, Ip)
    return function.apply(Ws), function.us
