"""One training iteration: the generator's update, then `n_dis` updates of the discriminator."""
from source.averaged_generator import AveragedGenerator
from source.constraints import constrain, make_constraints
from source.functions.losses import LOSSES
from source.miscs.noise_sampler import NoiseSampler
from source.penalties import make_penalties

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
        penalties: added to the discriminator's loss, {name: arguments}; names are those of `source.penalties`.
        constraints: applied after each of its updates, {name: arguments}; names are those of `source.constraints`.
        ema: decay of an average of the generator's weights that is kept beside it as `ema.gen`; by default none is.
        seed: of the penalties' own draws, an int or several; by default drawn from NumPy's global state.

    The order of draws is part of the contract: labels, then latents, of `n_gen_samples`; then for each discriminator
    update one real batch, then labels, then latents of its length. Penalties draw after that, from random states of
    their own. Reports `loss_gen`, `loss_dis` and for each penalty, which `loss_dis` does not contain, `loss_<name>`.
    """

    fakes_share_labels = False  # whether the discriminator's fakes have the real batch's labels, and so draw none

    def __init__(self, models, iterator, optimizer, n_dis=5, loss_type='hinge', conditional=False, n_gen_samples=64,
                 sampler=None, device=None, penalties=None, constraints=None, seed=None, ema: float = None):
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
        if penalties and seed is None:
            seed = np.random.randint(2 ** 31)
        self.penalties, self.constraints = make_penalties(penalties, seed), make_constraints(constraints)
        for penalty in self.penalties.values():
            penalty.setup(self.dis)
        self.ema = None if ema is None else AveragedGenerator(self.gen, ema)

    def generate(self, n, y=None):
        """Draws labels, unless given y, and latents; returns fakes, a Variable (n, 3, H, W), and labels or None."""
        if self.conditional and y is None:
            y = self._to_device(self.sampler.categorical(n))
        z = self._to_device(self.sampler.continuous(n))
        return self.gen(n, z=z, y=y), y

    def update_core(self):
        # Shapes and types are checked in the first iteration; later ones can only repeat it.
        with chainer.using_config('type_check', chainer.config.type_check and self.iteration == 0):
            self.update_generator()
            for _ in range(self.n_dis):
                self.update_discriminator()
        if self.ema is not None:
            self.ema.update(self.gen)

    def judge_of_generator(self, x_fake, y_fake):
        """The discriminator's output for the generator's update, and further losses {name: Variable} of that."""
        return self.dis(x_fake, y_fake), {}

    def judge_real(self, x_real, y_real):
        """The same of real images, for the discriminator's update."""
        return self.dis(x_real, y_real), {}

    def update_generator(self):
        x_fake, y_fake = self.generate(self.n_gen_samples)
        with chainer.using_config('constant_weights', True):
            dis_fake, further = self.judge_of_generator(x_fake, y_fake)
        self._minimize('opt_gen', self.gen, {'loss_gen': self.loss_gen(dis_fake), **further})

    def update_discriminator(self):
        batch = self.get_iterator('main').next()
        x_real, y_real = self.converter(batch, self.device)
        y_real = y_real if self.conditional else None
        dis_real, further = self.judge_real(x_real, y_real)
        with chainer.no_backprop_mode():
            x_fake, y_fake = self.generate(len(batch), y_real if self.fakes_share_labels else None)
        dis_fake = self.dis(x_fake.array, y_fake)
        losses = {'loss_dis': self.loss_dis(dis_fake, dis_real), **further}
        for name, penalty in self.penalties.items():
            losses[f'loss_{name}'] = penalty(self.dis, x_real, x_fake.array, y_real)
        self._minimize('opt_dis', self.dis, losses)
        constrain(self.dis, self.constraints, self.get_optimizer('opt_dis').t)

    def _minimize(self, optimizer_name, model, losses):
        first, *others = losses.values()
        model.cleargrads()
        sum(others, start=first).backward()
        self.get_optimizer(optimizer_name).update()
        chainer.reporter.report({name: loss.array for name, loss in losses.items()})

    def _to_device(self, array):
        return self.device.send(array)

    def serialize(self, serializer):
        super().serialize(serializer)
        if hasattr(self.sampler, 'serialize'):
            self.sampler.serialize(serializer['sampler'])
        for name, penalty in self.penalties.items():
            penalty.serialize(serializer['penalties'][name])
        if self.ema is not None:
            self.ema.serialize(serializer['ema'])
