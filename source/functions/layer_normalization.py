import chainer
import chainer.functions as F
from chainer import FunctionNode

AXES = (1, 2, 3)


def layer_normalize(x, beta, eps=2e-5):
    """Each sample's mean becomes 0 and its variance 1, over channels and pixels alike (Ba et al., 2016); then + beta.

    x: Variable (B, C, H, W); beta: Variable (C,). There is no multiplier, as in the paper's comparisons (section 4.1).
    """
    return _LayerNormalization(eps).apply((x, beta))[0]


def _plain(x, beta, eps):
    centred = x - F.broadcast_to(F.mean(x, axis=AXES, keepdims=True), x.shape)
    inv_std = (F.mean(centred * centred, axis=AXES, keepdims=True) + eps) ** -.5
    return centred * F.broadcast_to(inv_std, x.shape) + F.broadcast_to(F.reshape(beta, (1, -1, 1, 1)), x.shape)


class _LayerNormalization(FunctionNode):
    """`_plain` with fewer arrays; where its gradient is to be differentiated, the gradient is that of `_plain`."""

    def __init__(self, eps):
        self.eps = eps

    def forward(self, inputs):
        x, beta = inputs
        self.retain_inputs((0, 1))
        x_hat, _ = self._normalize(x)
        x_hat += beta[:, None, None]
        return x_hat,

    def _normalize(self, x):
        x_hat = x - x.mean(AXES, keepdims=True)
        inv_std = ((x_hat * x_hat).mean(AXES, keepdims=True) + self.eps) ** -.5
        x_hat *= inv_std
        return x_hat, inv_std

    def backward(self, indexes, grad_outputs):
        x, beta = self.get_retained_inputs()
        if chainer.config.enable_backprop:
            return chainer.grad([_plain(x, beta, self.eps)], [x, beta], grad_outputs, enable_double_backprop=True)
        g, = (gy.array for gy in grad_outputs)
        x_hat, inv_std = self._normalize(x.array)
        gx = g - g.mean(AXES, keepdims=True)
        gx -= x_hat * (g * x_hat).mean(AXES, keepdims=True)
        gx *= inv_std
        return chainer.as_variable(gx), chainer.as_variable(g.sum((0, 2, 3)))
