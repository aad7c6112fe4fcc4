"""Adversarial losses and their gradients, one launch each; see `source.kernels.reference.losses`."""
from source.kernels.cuda import launching

import numpy as np

_KINDS = {'dcgan': 0, 'hinge': 1, 'wasserstein': 2}


def _generator_kind(kind):
    return np.int32(_KINDS['wasserstein' if kind == 'hinge' else kind])


def _launch(kernel, n, args):
    launching.launch('losses', kernel, (n,), (launching.THREADS,), args)


def _blocks(*outputs):
    return launching.ceil_div(max(a.size for a in outputs), launching.THREADS)


def discriminator_loss(kind, dis_fake, dis_real):
    launching.contiguous(dis_fake, dis_real)
    y = launching.empty(())
    sizes = np.int32(dis_fake.size), np.int32(dis_real.size)
    _launch('loss', 1, (dis_fake, dis_real, y, *sizes, np.int32(_KINDS[kind])))
    return y


def discriminator_gradient(kind, gloss, dis_fake, dis_real):
    launching.contiguous(dis_fake, dis_real)
    gfake, greal = launching.empty_like(dis_fake), launching.empty_like(dis_real)
    sizes = np.int32(dis_fake.size), np.int32(dis_real.size)
    _launch('loss_gradient', _blocks(dis_fake, dis_real),
            (gloss, dis_fake, dis_real, gfake, greal, *sizes, np.int32(_KINDS[kind])))
    return gfake, greal


def generator_loss(kind, dis_fake):
    launching.contiguous(dis_fake)
    y = launching.empty(())
    _launch('loss', 1, (dis_fake, launching.NULL, y, np.int32(dis_fake.size), np.int32(0), _generator_kind(kind)))
    return y


def generator_gradient(kind, gloss, dis_fake):
    launching.contiguous(dis_fake)
    gfake = launching.empty_like(dis_fake)
    _launch('loss_gradient', _blocks(dis_fake), (gloss, dis_fake, launching.NULL, gfake, launching.NULL,
                                                 np.int32(dis_fake.size), np.int32(0), _generator_kind(kind)))
    return gfake
