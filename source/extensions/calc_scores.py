from source.miscs.generate import generate_batches
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.judging import judge, scores_of

import chainer
from chainer.training import extension


class CalcScores(extension.Extension):
    """Scores samples and reports the scores as `<network>_<score>`; the same latents and labels every time.

    With `name` as `<network>_<name>_<score>`, for a second generator.

    `reference` is called once, when training starts, for the statistics (`mean`, `cov`) of the real images.
    """

    priority = extension.PRIORITY_WRITER

    def __init__(self, gen, network, reference, n_images=1000, splits=10, seed=0, name=None):
        self.gen, self.network = gen, network
        self.prefix = '_'.join(filter(None, (network.name, name)))
        self.n_images, self.splits, self.seed = n_images, splits, seed
        self._make_reference, self._reference = reference, None

    def initialize(self, trainer):
        self._reference = self._make_reference()

    def __call__(self, trainer):
        sampler = NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution, self.seed)
        batches = generate_batches(self.gen, self.n_images, sampler)
        judged = judge(batches, self.network, self.n_images, desc='samples')
        scores = scores_of(judged, self.network, reference=self._reference, splits=self.splits)
        chainer.reporter.report({f'{self.prefix}_{name}': float(score) for name, score in scores.items()})
