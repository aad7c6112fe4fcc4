"""Adversarial losses: for each, the discriminator's on real and fake outputs and the generator's on fake outputs.

All take Variables (B, 1) of the discriminator's raw outputs and return scalar Variables to be minimized.
"""
import chainer.functions as F


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


LOSSES = {
    'dcgan': (loss_dcgan_dis, loss_dcgan_gen),
    'hinge': (loss_hinge_dis, loss_hinge_gen),
    'wasserstein': (loss_wasserstein_dis, loss_wasserstein_gen),
}
