from source.links.weights import singular_values

import chainer
from chainer.training import extension


class SpectralNorms(extension.Extension):
    """Reports `sigma/<layer>`, the spectral norm of each weight the discriminator computes with (Figure 9).

    By a full decomposition, on the CPU; NaN for a weight that is not finite.
    """

    priority = extension.PRIORITY_WRITER

    def __init__(self, dis):
        self.dis = dis

    def __call__(self, trainer):
        chainer.reporter.report({f'sigma/{name}': values[0] for name, values in singular_values(self.dis).items()})
