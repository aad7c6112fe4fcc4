"""Adversarial losses of the discriminator's raw outputs, float32 (B, 1), and their gradients (eq. 15-17).

kind is 'dcgan', 'hinge' or 'wasserstein', as in `source.functions.losses`. Losses are arrays of shape ().
"""
import numpy as np


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x):
    return np.where(x >= 0, 1., np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))


# For each: what an output on the wrong side costs, as a function of z = −real or z = fake, and its derivative.
_KINDS = {
    'dcgan': (_softplus, _sigmoid),
    'hinge': (lambda z: np.maximum(1 + z, 0), lambda z: (1 + z > 0).astype(z.dtype)),
    'wasserstein': (lambda z: z, np.ones_like),
}


def _generator_kind(kind):
    """The hinge loss's generator is Wasserstein's."""
    return _KINDS['wasserstein' if kind == 'hinge' else kind]


def _mean(x):
    return x.mean(dtype=np.float64)


def discriminator_loss(kind, dis_fake, dis_real):
    cost, _ = _KINDS[kind]
    return np.array(_mean(cost(-dis_real)) + _mean(cost(dis_fake)), dis_fake.dtype)


def discriminator_gradient(kind, gloss, dis_fake, dis_real):
    """gfake and greal, of the outputs' shapes, from gloss ()."""
    _, derivative = _KINDS[kind]
    gfake = derivative(dis_fake) * (gloss / dis_fake.size)
    greal = -derivative(-dis_real) * (gloss / dis_real.size)
    return gfake.astype(dis_fake.dtype), greal.astype(dis_real.dtype)


def generator_loss(kind, dis_fake):
    cost, _ = _generator_kind(kind)
    return np.array(_mean(cost(-dis_fake)), dis_fake.dtype)


def generator_gradient(kind, gloss, dis_fake):
    """gfake, of dis_fake's shape, from gloss ()."""
    _, derivative = _generator_kind(kind)
    return (-derivative(-dis_fake) * (gloss / dis_fake.size)).astype(dis_fake.dtype)
