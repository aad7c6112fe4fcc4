from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.scoring import score_samples

import chainer
from chainer.training import extension


class CalcScores(extension.Extension):
    """Scores samples and reports the scores as `<network>_<score>`; the same latents and labels every time."""

    priority = extension.PRIORITY_WRITER

    def __init__(self, gen, network, reference, n_images=1000, splits=10, seed=0):
        self.gen, self.network, self.reference = gen, network, reference
        self.n_images, self.splits, self.seed = n_images, splits, seed

    def __call__(self, trainer):
        sampler = NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution, self.seed)
        ims, y = generate_ims(self.gen, self.n_images, sampler)
        scores = score_samples(ims, y, self.network, self.reference, self.splits)
        chainer.reporter.report({f'{self.network.name}_{name}': float(score) for name, score in scores.items()})
