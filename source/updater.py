"""One training iteration: the generator's update, then `n_dis` updates of the discriminator."""
from source.functions.losses import LOSSES
from source.miscs.noise_sampler import NoiseSampler

import chainer
import numpy as np
from chainer import training


class Updater(training.updaters.StandardUpdater):
    """Alternating updates of generator and discriminator (Algorithm 1 with eq. 15-17).

    Args:
        models: {'gen': generator, 'dis': discriminator}.
        iterator: yields batches of (image float32 (3, H, W) in [-1, 1], label int) pairs.
        optimizer: {'opt_gen': …, 'opt_dis': …}, set up for the models.
        n_dis: discriminator updates per generator update.
        loss_type: 'dcgan' (the standard loss), 'hinge' or 'wasserstein'.
        conditional: whether labels are given to both networks.
        n_gen_samples: fakes of the generator's update; the discriminator's updates see as many fakes as real images.
        sampler: an object with `continuous(n)` → float32 (n, dim_z) and `categorical(n)` → int32 (n,); by default
            a `NoiseSampler` seeded from NumPy's global state.
        device: what batches are sent to; by default the models' own.

    The order of draws is part of the contract: labels, then latents, of `n_gen_samples`; then for each discriminator
    update one real batch, then labels, then latents of its length. Reports `loss_gen` and `loss_dis`.
    """

    def __init__(self, models, iterator, optimizer, n_dis=5, loss_type='hinge', conditional=False, n_gen_samples=64,
                 sampler=None, device=None):
        self.gen, self.dis = models['gen'], models['dis']
        if loss_type not in LOSSES:
            raise ValueError(f'loss_type must be one of {", ".join(LOSSES)}, got {loss_type!r}')
        for name, value in (('n_dis', n_dis), ('n_gen_samples', n_gen_samples)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        super().__init__(iterator, dict(optimizer), device=self.gen.device if device is None else device)
        self.models = models
        self.n_dis, self.n_gen_samples = n_dis, n_gen_samples
        self.loss_type, self.conditional = loss_type, conditional
        self.loss_dis, self.loss_gen = LOSSES[loss_type]
        self.sampler = sampler or NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution,
                                               seed=np.random.randint(2 ** 31))

    def generate(self, n):
        """Draws labels and latents; returns fakes, a Variable (n, 3, H, W), and their labels, int32 (n,) or None."""
        y = self._to_device(self.sampler.categorical(n)) if self.conditional else None
        z = self._to_device(self.sampler.continuous(n))
        return self.gen(n, z=z, y=y), y

    def update_core(self):
        # Shapes and types are checked in the first iteration; later ones can only repeat it.
        with chainer.using_config('type_check', chainer.config.type_check and self.iteration == 0):
            self.update_generator()
            for _ in range(self.n_dis):
                self.update_discriminator()

    def update_generator(self):
        x_fake, y_fake = self.generate(self.n_gen_samples)
        with chainer.using_config('constant_weights', True):
            dis_fake = self.dis(x_fake, y_fake)
        loss = self.loss_gen(dis_fake)
        self._minimize('opt_gen', self.gen, loss)
        chainer.reporter.report({'loss_gen': loss.array})

    def update_discriminator(self):
        batch = self.get_iterator('main').next()
        x_real, y_real = self.converter(batch, self.device)
        dis_real = self.dis(x_real, y_real if self.conditional else None)
        with chainer.no_backprop_mode():
            x_fake, y_fake = self.generate(len(batch))
        dis_fake = self.dis(x_fake.array, y_fake)
        loss = self.loss_dis(dis_fake, dis_real)
        self._minimize('opt_dis', self.dis, loss)
        chainer.reporter.report({'loss_dis': loss.array})

    def _minimize(self, optimizer_name, model, loss):
        model.cleargrads()
        loss.backward()
        self.get_optimizer(optimizer_name).update()

    def _to_device(self, array):
        return self.device.send(array)

    def serialize(self, serializer):
        super().serialize(serializer)
        if hasattr(self.sampler, 'serialize'):
            self.sampler.serialize(serializer['sampler'])
