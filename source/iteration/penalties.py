"""The penalties a config can name: objects that the updater asks for what to add to the discriminator's loss.

Each is called with (dis, x_real, x_fake, y): arrays (B, C, H, W) and the real images' labels or None; it returns a
scalar Variable. What it draws or keeps is its own and is written into snapshots.
"""
from source.config.construct import construct_parts
from source.functions.penalties import (
    gradient_penalty,
    interpolate,
    orthonormal_penalty,
    spectral_norm_penalty,
)
from source.kernels.power_iteration import power_iteration
from source.links.weights import weights_of
from source.miscs.random_state import serialize_random_state

import chainer
import numpy as np
from chainer import backend


class Penalty:
    """`weight` multiplies the penalty; `rng` is a RandomState it may draw from.

    One that keeps something of each weight also takes the discriminator, `dis`, whose weights are initialized.
    """

    def __init__(self, weight, rng):
        if not weight > 0:
            raise ValueError(f'weight must be above 0, got {weight}')
        self.weight, self.rng = weight, rng
        self.state = chainer.Link()  # whose persistent arrays a call may step

    def serialize(self, serializer):
        """Reads or writes what must survive a snapshot."""
        self.state.serialize(serializer)


class GradientPenalty(Penalty):
    """λ Ê[(‖∇D(x̂)‖₂ − 1)²] at random points between real and generated images (eq. 29-31; λ = 10).

    A conditional discriminator is given the real image's label at x̂. Draws ε, one U[0, 1] a sample, on the CPU.
    """

    def __init__(self, rng, weight: float = 10.):
        super().__init__(weight, rng)

    def __call__(self, dis, x_real, x_fake, y):
        epsilon = self.rng.uniform(size=len(x_real)).astype(x_real.dtype)
        epsilon = backend.get_device_from_array(x_real).send(epsilon)
        return self.weight * gradient_penalty(dis, interpolate(x_real, x_fake, epsilon), y)

    def serialize(self, serializer):
        serialize_random_state(serializer, self.rng)


class OrthonormalPenalty(Penalty):
    """‖WᵀW − I‖²_F (eq. 14), summed over all weights. The paper gives it no factor, so `weight` is 1."""

    def __init__(self, rng, weight: float = 1.):
        super().__init__(weight, rng)

    def __call__(self, dis, x_real, x_fake, y):
        return self.weight * sum(orthonormal_penalty(W) for _, W in weights_of(dis))


class SpectralNormPenalty(Penalty):
    """λ/2 Σ σ(W)² over all weights (Yoshida & Miyato, 2017; section 2.1), λ = 0.01 as in their experiments.

    One power iteration an update, from the `u` of the last.
    """

    def __init__(self, dis, rng, weight: float = .01):
        super().__init__(weight, rng)
        for name, W in weights_of(dis):
            self.state.add_persistent(_key(name), rng.normal(size=(1, len(W.array))).astype(W.dtype))
        self.state.to_device(dis.device)

    def __call__(self, dis, x_real, x_fake, y):
        total = 0
        for name, W in weights_of(dis):
            u = getattr(self.state, _key(name))
            new_u, v, _ = power_iteration(W.array.reshape(len(W.array), -1), u)
            u[...] = new_u
            total += spectral_norm_penalty(W, new_u, v)
        return self.weight * total


def _key(name):
    return name.strip('/').replace('/', '.')


PENALTIES = {'gradient': GradientPenalty, 'orthonormal': OrthonormalPenalty, 'spectral_norm': SpectralNormPenalty}


def make_penalties(spec, seed, dis, share=None):
    """Return {name: Penalty} of a config's `penalties`, {name: arguments}, for a discriminator with all its weights.

    Each draws from a RandomState of its own, or from what `share` makes of that. Raises ValueError for an unknown name
    or argument.
    """
    def given(name):
        rng = np.random.RandomState((*np.atleast_1d(seed).tolist(), list(PENALTIES).index(name)))
        return {'dis': dis, 'rng': share(rng) if share else rng}
    return construct_parts('penalties', PENALTIES, spec, given)
