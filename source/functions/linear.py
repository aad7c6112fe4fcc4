"""Dense layers."""
from source.functions.precision import as_float32
from source.kernels.switch import kernels

import chainer
import chainer.functions as F
from chainer import FunctionNode


def linear(x, W, b=None):
    """x Wᵀ + b, Variable (B, O): x (B, …) of I numbers a sample, W (O, I), b (O,)."""
    if kernels('linear.linear', x, W, b) is None:
        return F.linear(x, W, b)
    x = as_float32(x)
    x = F.reshape(x, (len(x), -1)) if x.ndim > 2 else x
    if x.shape[1:] != W.shape[1:] or not len(x):
        return F.linear(x, W, b)  # which says what is wrong
    return _Linear(kernels('linear.linear', x, W, b)).apply((x, W) if b is None else (x, W, b))[0]


class _Linear(FunctionNode):

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, inputs):
        x, W, *b = inputs
        self.retain_inputs((0, 1))
        return self.kernel.linear(_contiguous(x), _contiguous(W), *b),

    def backward(self, indexes, grad_outputs):
        x, W = self.get_retained_inputs()
        gy, = grad_outputs
        if chainer.config.enable_backprop:
            gradients = {0: lambda: F.matmul(gy, W), 1: lambda: F.matmul(gy, x, transa=True),
                         2: lambda: F.sum(gy, axis=0)}
            return [gradients[i]() for i in indexes]
        gradients, gy = {}, _contiguous(gy.array)
        if 0 in indexes:
            gradients[0] = self.kernel.linear_data_gradient(gy, _contiguous(W.array))
        if 1 in indexes or 2 in indexes:
            gradients[1], gradients[2] = self.kernel.linear_weight_gradient(_contiguous(x.array), gy)
        return [chainer.Variable(gradients[i], requires_grad=False) for i in indexes]


def _contiguous(x):
    return x if x.flags.c_contiguous else x.copy(order='C')
