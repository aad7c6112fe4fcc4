from source.links.weights import effective_weights

import chainer
import numpy as np
from chainer.training import extension


def layer_name(path):
    """'block1/c1' for a link's path '/block1/c1'."""
    return path.strip('/')


class SpectralNorms(extension.Extension):
    """Reports `sigma/<layer>`, the spectral norm of each weight the discriminator computes with (Figure 9).

    By a full decomposition, on the CPU; NaN for a weight that is not finite.
    """

    priority = extension.PRIORITY_WRITER

    def __init__(self, dis):
        self.dis = dis

    def __call__(self, trainer):
        chainer.reporter.report({f'sigma/{name}': values[0] for name, values in singular_values(self.dis).items()})


def singular_values(model):
    """{layer: its singular values, descending, float (min(d_out, d_in),)} of the weights the model computes with."""
    found = {}
    for path, W in effective_weights(model):
        W = chainer.backends.cuda.to_cpu(W)
        finite = np.isfinite(W).all()
        found[layer_name(path)] = np.linalg.svd(W, compute_uv=False) if finite else np.full(min(W.shape), np.nan)
    return found
