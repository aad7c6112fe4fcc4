"""The constraints a config can name: what is done to the discriminator's weights after an update of them."""
from source.config.construct import construct_parts
from source.links.weights import weights_of

import chainer.links as L
from chainer import Parameter, backend


class Clipping:
    """Every element of every convolution's W back into [−c, c] (Arjovsky et al., 2017; section 4.1: c = 0.01)."""

    def __init__(self, c: float = .01):
        if not c > 0:
            raise ValueError(f'c must be above 0, got {c}')
        self.c = c

    def __call__(self, dis, n_updates):
        """`n_updates`: how many updates there were, this one included."""
        for link in dis.links():
            if isinstance(link, L.Convolution2D) and isinstance(link.W, Parameter):
                xp = backend.get_array_module(link.W)
                xp.clip(link.W.array, -self.c, self.c, out=link.W.array)


class SingularValueClipping:
    """Singular values above K of every W become K, by a full decomposition after every `every`-th update.

    Saito et al. (2017); Jia et al. (2017); Appendix D.3.
    """

    def __init__(self, every: int = 1, K: float = 1.):
        if every < 1:
            raise ValueError(f'every must be at least 1, got {every}')
        if not K > 0:
            raise ValueError(f'K must be above 0, got {K}')
        self.every, self.K = every, K

    def __call__(self, dis, n_updates):
        if n_updates % self.every:
            return
        for _, W in weights_of(dis):
            if isinstance(W, Parameter):
                xp = backend.get_array_module(W)
                if not xp.isfinite(W.array).all():
                    continue  # an SVD would raise; divergence is reported where losses and parameters are checked
                U, S, Vt = xp.linalg.svd(W.array.reshape(len(W.array), -1), full_matrices=False)
                W.array[...] = ((U * xp.minimum(S, self.K)) @ Vt).reshape(W.shape)


CONSTRAINTS = {'clipping': Clipping, 'singular_value_clipping': SingularValueClipping}


def make_constraints(spec):
    """[constraint] of a config's `constraints`, {name: arguments}. Raises ValueError for an unknown one."""
    return list(construct_parts('constraints', CONSTRAINTS, spec).values())


def constrain(dis, constraints, n_updates):
    """Applies the constraints, and the retractions of links that hold one themselves (eq. 28)."""
    for link in dis.links():
        if hasattr(link, 'retract'):
            link.retract()
    for constraint in constraints:
        constraint(dis, n_updates)
