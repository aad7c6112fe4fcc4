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


def _losses(kind, plain_dis, plain_gen):
    """The two, or where the kernels serve their arguments the same in one launch, as their gradients are."""
    def loss_dis(dis_fake, dis_real):
        kernel = kernels('losses.discriminator_loss', dis_fake, dis_real)
        if kernel is None:
            return plain_dis(dis_fake, dis_real)
        function = _Loss(kernel.discriminator_loss, kernel.discriminator_gradient, kind, plain_dis)
        return function.apply((dis_fake, dis_real))[0]

    def loss_gen(dis_fake):
        kernel = kernels('losses.generator_loss', dis_fake)
        if kernel is None:
            return plain_gen(dis_fake)
        return _Loss(kernel.generator_loss, kernel.generator_gradient, kind, plain_gen).apply((dis_fake,))[0]
    return loss_dis, loss_gen


class _Loss(FunctionNode):

    def __init__(self, loss, gradient, kind, plain):
        self.loss, self.gradient, self.kind, self.plain = loss, gradient, kind, plain

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


LOSSES = {
    'dcgan': _losses('dcgan', loss_dcgan_dis, loss_dcgan_gen),
    'hinge': _losses('hinge', loss_hinge_dis, loss_hinge_gen),
    'wasserstein': _losses('wasserstein', loss_wasserstein_dis, loss_wasserstein_gen),
}
