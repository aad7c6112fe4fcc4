from source.miscs.noise_sampler import NoiseSampler

import chainer
import numpy as np
from chainer.training import extension

BATCHSIZE = 100


class HeldOutLoss(extension.Extension):
    """Reports `critic_loss_train` and `critic_loss_held_out`: the discriminator's loss with its penalties left out.

    Of `n_images` images each, the same every time, against the same number of fakes (Figure 15 a): the two differ by
    the real images alone. In test mode; of a set of fewer images all are taken.

    Args:
        updater: gives networks, loss, and whether labels are used.
        train, held_out: datasets with `get_examples`.
        seed: of the choice of images, their noise and the latents.
    """

    priority = extension.PRIORITY_WRITER

    def __init__(self, updater, train, held_out, n_images=200, seed=0):
        self.updater, self.n_images, self.seed = updater, n_images, seed
        self.reals = {'train': self._examples(train), 'held_out': self._examples(held_out)}

    def _examples(self, dataset):
        rng = np.random.RandomState(self.seed)
        return dataset.get_examples(np.sort(rng.permutation(len(dataset))[:self.n_images]), rng)

    def __call__(self, trainer):
        gen, conditional = self.updater.gen, self.updater.conditional
        fake = self._outputs(_fakes(gen, self.n_images, self.seed))
        for name, (x, y) in self.reals.items():
            real = self._outputs((x[i:i + BATCHSIZE], y[i:i + BATCHSIZE] if conditional else None)
                                 for i in range(0, len(x), BATCHSIZE))
            loss = self.updater.loss_dis(fake, real)
            chainer.reporter.report({f'critic_loss_{name}': float(loss.array)})

    def _outputs(self, batches):
        """The discriminator's outputs for batches (x, y or None), Variable (n, 1)."""
        dis = self.updater.dis
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            return chainer.Variable(dis.xp.concatenate([
                dis(dis.device.send(x), None if y is None else dis.device.send(y)).array for x, y in batches]))


def _fakes(gen, n, seed):
    """Batches (x, y or None) of generated images in [-1, 1], not rounded to 8 bits."""
    sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, seed)
    for start in range(0, n, BATCHSIZE):
        size = min(BATCHSIZE, n - start)
        y = gen.device.send(sampler.categorical(size)) if gen.n_classes > 0 else None
        z = gen.device.send(sampler.continuous(size))
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            yield gen(size, z=z, y=y).array, y
