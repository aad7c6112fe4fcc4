"""Adversarial losses: for each, the discriminator's on real and fake outputs and the generator's on fake outputs.

All take Variables (B, 1) of the discriminator's raw outputs and return scalar Variables to be minimized.
"""
from source.kernels.switch import kernels

import chainer
import chainer.functions as F
from chainer import FunctionNode


def loss_dcgan_dis(dis_fake, dis_real):
    """The standard loss, eq. 15, as softplus."""
    return F.mean(F.softplus(-dis_real)) + F.mean(F.softplus(dis_fake))


def loss_dcgan_gen(dis_fake):
    """The non-saturating alternative of Goodfellow et al. (2014), section 4."""
    return F.mean(F.softplus(-dis_fake))


def loss_hinge_dis(dis_fake, dis_real):
    """Eq. 16."""
    return F.mean(F.relu(1. - dis_real)) + F.mean(F.relu(1. + dis_fake))


def loss_hinge_gen(dis_fake):
    """Eq. 17."""
    return -F.mean(dis_fake)


def loss_wasserstein_dis(dis_fake, dis_real):
    """Arjovsky et al. (2017); section 4."""
    return F.mean(dis_fake) - F.mean(dis_real)


def loss_wasserstein_gen(dis_fake):
    """Arjovsky et al. (2017); section 4."""
    return -F.mean(dis_fake)


def _on_kernels(kind, who, plain):
    """`plain`, or where the kernels serve its arguments the same in one launch, as its gradient is."""
    def loss(*outputs):
        kernel = kernels(f'losses.{who}_loss', *outputs)
        return plain(*outputs) if kernel is None else _Loss(kernel, kind, who, plain).apply(outputs)[0]
    loss.__name__, loss.__doc__ = plain.__name__, plain.__doc__
    return loss


class _Loss(FunctionNode):

    def __init__(self, kernel, kind, who, plain):
        self.loss, self.gradient = getattr(kernel, f'{who}_loss'), getattr(kernel, f'{who}_gradient')
        self.kind, self.plain = kind, plain

    def forward(self, inputs):
        self.retain_inputs(tuple(range(len(inputs))))
        return self.loss(self.kind, *inputs),

    def backward(self, indexes, grad_outputs):
        outputs = self.get_retained_inputs()
        if chainer.config.enable_backprop:
            return chainer.grad([self.plain(*outputs)], outputs, grad_outputs, enable_double_backprop=True)
        gradients = self.gradient(self.kind, grad_outputs[0].array, *(output.array for output in outputs))
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return [chainer.Variable(gradients[i], requires_grad=False) for i in indexes]


_PLAIN = {
    'dcgan': (loss_dcgan_dis, loss_dcgan_gen),
    'hinge': (loss_hinge_dis, loss_hinge_gen),
    'wasserstein': (loss_wasserstein_dis, loss_wasserstein_gen),
}
LOSSES = {kind: (_on_kernels(kind, 'discriminator', dis), _on_kernels(kind, 'generator', gen))
          for kind, (dis, gen) in _PLAIN.items()}
