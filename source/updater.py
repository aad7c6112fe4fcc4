"""One training iteration: the generator's update, then `n_dis` updates of the discriminator."""
import contextlib

from source.datasets.batch_checks import BadBatch, BatchCheck
from source.functions.capturable import reason_of_device
from source.functions.differentiable_augmentation import augment, read_policies
from source.functions.losses import LOSSES
from source.functions.prepared_weights import prepared_together
from source.iteration.averaged_generator import AveragedGenerator
from source.iteration.captured_step import CapturedStep
from source.iteration.constraints import Clipping, constrain, make_constraints
from source.iteration.dequantization import ImageNoise
from source.iteration.inputs import Draws, LiveInputs
from source.iteration.parts import Parts, Share
from source.iteration.penalties import make_penalties
from source.iteration.side_by_side import SideBySide
from source.kernels.switch import CUDA, kernel_set, kernels
from source.links.further_gradients import FurtherGradients
from source.links.joint_normalization import normalized_together
from source.miscs.noise_sampler import NoiseSampler
from source.optimizers.adam import Adam, hooks_of

import chainer
import numpy as np
from chainer import training


class Updater(training.updaters.StandardUpdater):
    """Alternating updates of generator and discriminator (Algorithm 1 with eq. 15-17).

    Args:
        models: {'gen': generator, 'dis': discriminator}.
        iterator: yields batches of (image float32 (C, H, W) in [-1, 1], label int) pairs.
        optimizer: {'opt_gen': …, 'opt_dis': …}, set up for the models.
        n_dis: discriminator updates per generator update.
        loss_type: 'dcgan' (the standard loss), 'hinge' or 'wasserstein'.
        conditional: whether labels are given to both networks.
        n_gen_samples: fakes of the generator's update; the discriminator's updates see as many fakes as real images.
        sampler: an object with `continuous(n)` → float32 (n, dim_z), `categorical(n)` → int32 (n,) and, for
            augmentation, `augmentation(n)` → float32 (n, 7) in [0, 1); by default a `NoiseSampler` seeded from NumPy's
            global state.
        device: what batches are sent to; by default the models' own.
        penalties: added to the discriminator's loss, {name: arguments}; names: `source.iteration.penalties`.
        constraints: applied after each of its updates, {name: arguments}; names: `source.iteration.constraints`.
        ema: decay of an average of the generator's weights that is kept beside it as `ema.gen`; by default none is.
        seed: of the penalties' own draws, an int or several; by default drawn from NumPy's global state.
        augmentation: of all images that the discriminator sees, names of `source.functions.
            differentiable_augmentation` in the order they are applied in; by default none.
        capture: whether a GPU may capture the iteration as a CUDA graph.

    The order of draws is part of the contract: labels, then latents, of `n_gen_samples`; then for each discriminator
    update one real batch, then labels, then latents of its length. With augmentation its numbers follow each real batch
    and each draw of latents. Penalties draw after that, from random states of their own. Reports `loss_gen`, `loss_dis`
    and for each penalty, which `loss_dis` does not contain, `loss_<name>`.
    Raises BadBatch for real images that are not finite and, in a conditional run, labels that are no classes.

    An iterator that says `accumulate`, as `BatchIterator` does, makes each update of as many parts: what so many
    processes compute, in the memory of one (`source.iteration.parts`).

    On a GPU the iteration is captured as a CUDA graph (`source.iteration.captured_step`), and real images of our
    datasets are sent as bytes and get their noise there.
    """

    fakes_share_labels = False  # whether the discriminator's fakes have the real batch's labels, and so draw none
    graphs = None  # what captures it; by default CUDA graphs where the models are on a GPU
    side_streams = None  # where parts of a captured iteration run beside each other, {'generator': …, 'fakes': …}

    def __init__(self, models, iterator, optimizer, n_dis=5, loss_type='hinge', conditional=False, n_gen_samples=64,
                 sampler=None, device=None, penalties=None, constraints=None, seed=None, ema: float = None,
                 augmentation=None, capture=True):
        self.gen, self.dis = models['gen'], models['dis']
        if loss_type not in LOSSES:
            raise ValueError(f'loss_type must be one of {", ".join(LOSSES)}, got {loss_type!r}')
        for name, value in (('n_dis', n_dis), ('n_gen_samples', n_gen_samples)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        super().__init__(iterator, dict(optimizer), device=self.gen.device if device is None else device)
        self.models = models
        self.n_dis, self.n_gen_samples, self.capture = n_dis, n_gen_samples, capture
        self.loss_type, self.conditional = loss_type, conditional
        self.loss_dis, self.loss_gen = LOSSES[loss_type]
        self.sampler = sampler or NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution,
                                               seed=np.random.randint(2 ** 31))
        self.augmentation = read_policies(augmentation)
        if self.augmentation and not hasattr(self.sampler, 'augmentation'):
            raise ValueError(f'augmentation needs a sampler that has it as a method, got {type(self.sampler).__name__}')
        main = self.get_iterator('main')
        self.parts = Parts(getattr(main, 'accumulate', 1))
        for what, is_wanted, names in (('augmentation', self.augmentation, ('generate', 'real_batch')),
                                       ('accumulate', self.parts.n > 1,
                                        ('update_core', 'iterate', 'update_generator', 'update_discriminator'))):
            for name in names:  # an override may not do it
                if is_wanted and getattr(type(self), name) is not getattr(Updater, name):
                    raise ValueError(f'{what} is done by {name}, of which {type(self).__name__} has one of its own')
        if penalties and seed is None:
            seed = np.random.randint(2 ** 31)
        is_shared = getattr(main, 'n_parts', 1) > 1
        self.penalties = make_penalties(penalties, seed, self.dis,
                                        (lambda rng: Share(rng, main, self.parts)) if is_shared else None)
        self.constraints = make_constraints(constraints)
        first = getattr(main, 'rank', 0) * self.parts.n
        self.image_noises = [ImageNoise((*np.atleast_1d(getattr(main, 'seed', 0)), 2, first + k))
                             for k in range(self.parts.n)]
        self.batch_check = BatchCheck((getattr(self.gen, 'n_classes', 0) or None) if conditional else None)
        self._captured, self._inputs = None, None
        self._side_by_side = SideBySide(self.dis)
        self.ema = None if ema is None else AveragedGenerator(self.gen, ema)

    def generate(self, n, y=None):
        """Draws labels, unless given y, and latents; returns fakes, a Variable (n, C, H, W), and labels or None.

        They are as the discriminator is to see them.
        """
        if self.conditional and y is None:
            y, = self.inputs('categorical', n)
        z, = self.inputs('continuous', n)
        with prepared_together(self.gen, y is None):
            x = self.gen(n, z=z, y=y)
        return self._augmented(x), y

    def _augmented(self, x):
        return augment(x, *self.inputs('augmentation', len(x)), self.augmentation) if self.augmentation else x

    def update_core(self):
        captured = self._capturing()
        if captured is not None:
            captured.run()
        else:
            self.sync()
            self.iterate(self.live_inputs())
        if self.ema is not None:
            self.ema.update(self.gen)

    def iterate(self, inputs):
        """One iteration on these inputs: the generator's update, then the discriminator's."""
        self._inputs = inputs
        # Shapes and types are checked in the first iteration; later ones can only repeat it.
        with chainer.using_config('type_check', chainer.config.type_check and self.iteration == 0):
            self.update_generator()
            if self.side_streams is not None and not self.fakes_share_labels:
                self.side_streams['generator'].begin()
            for _ in range(self.n_dis):
                self.update_discriminator()
        self._inputs = None

    @property
    def inputs(self):
        """What the updates ask for latents, labels and images, `(kind, n)`; a part gets its share of all parts'."""
        asked = self._inputs or self.live_inputs()
        return lambda kind, n=None: self.parts.deal(lambda n_parts: asked(kind, n and n * n_parts))

    def draws(self):
        return Draws(self.get_iterator('main'), self.sampler, self.converter, self._noises_on_device(),
                     self.batch_check)

    def live_inputs(self):
        return LiveInputs(self.draws(), self.device)

    def _noises_on_device(self):
        return kernels('noise.dequantize', next(self.gen.params())) is not None

    def real_batch(self):
        """Images x, array (B, C, H, W), in [-1, 1] but for augmentation, and labels y, int (B,)."""
        x, y = self.inputs('real')
        if x.dtype == np.uint8:
            x = self.image_noises[self.parts.index or 0](kernels('noise.dequantize', next(self.gen.params())), x,
                                                         self.get_iterator('main').n_batches - 1)
        return self._augmented(chainer.as_variable(x)).array, y

    def sync(self):
        """Brings what the device keeps for itself up to date, before an iteration."""
        iterator = self.get_iterator('main')
        if hasattr(iterator, 'n_batches'):
            for noise in self.image_noises:
                noise.sync(iterator.n_batches)
        for optimizer in self._optimizers.values():
            if isinstance(optimizer, Adam) and optimizer.joint_kernel() is not None:
                optimizer.sync()

    def counting_parts(self):
        """{name: what counts on the host as well as on the device}: has `t` and `count(n)`."""
        return {'opt_gen': self.get_optimizer('opt_gen'), 'opt_dis': self.get_optimizer('opt_dis'),
                **{f'image_noise_{k}': noise for k, noise in enumerate(self.image_noises)}}

    def _capturing(self):
        if self._captured is None and (self.graphs is not None or kernel_set(next(self.gen.params())) is CUDA):
            if self.graphs is None:
                from source.kernels.cuda.graphs import Graphs
                self.graphs = Graphs()
            self._captured = CapturedStep(self, self.graphs)
        return self._captured

    def reason_not_to_capture(self):
        """Why an iteration of this updater cannot be captured, as far as can be told before one has run, or None."""
        if not self.capture:
            return "the config's capture is false"
        if self.penalties:
            return f'the penalty {next(iter(self.penalties))} is in the loss'
        for constraint in self.constraints:
            if not isinstance(constraint, Clipping):
                return f'the constraint {type(constraint).__name__} is not for a GPU alone'
        if any(hasattr(link, 'retract') for link in self.dis.links()):
            return 'the discriminator holds decomposed weights, which a QR decomposition follows'
        if chainer.config.batch_norm_processes is not None or getattr(self.get_iterator('main'), 'n_processes', 1) > 1:
            return 'several processes train together, and talk to each other by way of the host'
        for name, optimizer in self._optimizers.items():
            hooks = hooks_of(optimizer)
            if hooks:
                return f"{name}'s hook {hooks[0]} may want more than kernels"
            if not isinstance(optimizer, Adam) or optimizer.joint_kernel() is None:
                return f'{name} is not the Adam that counts on the device'
        return reason_of_device(next(self.gen.params()))

    def judge_of_generator(self, x_fake, y_fake):
        """The discriminator's output for the generator's update, and further losses {name: Variable} of that."""
        return self._judge(x_fake, y_fake), {}

    def judge_real(self, x_real, y_real):
        """The same of real images, for the discriminator's update."""
        return self._judge(x_real, y_real), {}

    def _judge(self, x, y):
        with normalized_together(self.dis, y is None) as call:
            output = self.dis(x, y)
        self._side_by_side.observe(call)
        return output

    def update_generator(self):
        self._update('opt_gen', self._generator_losses)

    def update_discriminator(self):
        of_fakes = self._further_gradients()
        self._update('opt_dis', lambda: self._discriminator_losses(of_fakes), of_fakes)
        constrain(self.dis, self.constraints, self.get_optimizer('opt_dis').t)

    def _update(self, optimizer_name, compute, further=None):
        """A step by the gradients that `compute` leaves in the model's parameters, and in `further`, part by part."""
        optimizer = self.get_optimizer(optimizer_name)
        optimizer.target.cleargrads()
        losses = self.parts.mean(compute)
        optimizer.update() if further is None else optimizer.update(further=further)
        chainer.reporter.report(losses)

    def _generator_losses(self):
        with self.parts.alike(self.gen):
            x_fake, y_fake = self.generate(self.n_gen_samples)
        with self.parts.alike(self.dis), chainer.using_config('constant_weights', True):
            dis_fake, further = self.judge_of_generator(x_fake, y_fake)
        return self._backward({'loss_gen': self.loss_gen(dis_fake), **further})

    def _discriminator_losses(self, of_fakes):
        with self.parts.alike(self.dis, *(penalty.state for penalty in self.penalties.values())):
            x_real, y_real = self.real_batch()
            y_real = y_real if self.conditional else None
            if self.parts.n > 1 and len(x_real) * self.parts.n != self.get_iterator('main').batch_size:
                raise BadBatch(f'accumulate: expected {type(self).__name__}.real_batch to return a part of the '
                               f'{self.get_iterator("main").batch_size} images that the iterator gives, found '
                               f'{len(x_real)}; super().real_batch() does')
            if of_fakes is not None and self._is_side_by_side:
                loss = self._side_by_side.minimize(self.side_streams['fakes'], self.loss_dis, x_real, y_real,
                                                   lambda: self._fakes(len(x_real), None), of_fakes, self.parts)
                return {'loss_dis': loss.array}
            x_fake, y_fake = self._fakes(len(x_real), y_real if self.fakes_share_labels else None)
            dis_real, further = self.judge_real(x_real, y_real)
            with contextlib.nullcontext() if of_fakes is None else of_fakes.gathered():
                dis_fake = self._judge(x_fake.array, y_fake)
            losses = {'loss_dis': self.loss_dis(dis_fake, dis_real), **further}
            for name, penalty in self.penalties.items():
                with normalized_together(self.dis, name):
                    losses[f'loss_{name}'] = penalty(self.dis, x_real, x_fake.array, y_real)
        return self._backward(losses)

    @property
    def _is_side_by_side(self):
        is_plain = all(getattr(type(self), name) is getattr(Updater, name) for name in ('judge_real', '_judge'))
        return (self.side_streams is not None and is_plain and not self.fakes_share_labels
                and self._side_by_side.is_possible)

    def _fakes(self, n, y):
        """What `generate` returns; it needs the generator alone, and so waits for no update on a stream of its own."""
        is_beside = self.side_streams is not None and y is None
        stream = self.side_streams['generator'] if is_beside else None
        with stream.running() if is_beside else contextlib.nullcontext():
            with chainer.no_backprop_mode(), self.parts.alike(self.gen):
                x_fake, y_fake = self.generate(n, y)
        if is_beside:
            stream.keep((x_fake, y_fake))
        return x_fake, y_fake

    def _further_gradients(self):
        """Where the fakes' gradients go, if Adam's kernel adds them to the real images'; or None."""
        optimizer = self.get_optimizer('opt_dis')
        if self.penalties or not isinstance(optimizer, Adam) or not optimizer.takes_further_gradients():
            return None
        return FurtherGradients()

    def _backward(self, losses):
        first, *others = losses.values()
        self.parts.backward(sum(others, start=first))
        return {name: loss.array for name, loss in losses.items()}

    def serialize(self, serializer):
        if self._captured is not None and isinstance(serializer, chainer.Deserializer):
            self._captured.forget()
        super().serialize(serializer)
        if hasattr(self.sampler, 'serialize'):
            self.sampler.serialize(serializer['sampler'])
        for name, penalty in self.penalties.items():
            penalty.serialize(serializer['penalties'][name])
        if self.ema is not None:
            self.ema.serialize(serializer['ema'])

    def finalize(self):
        if self._captured is not None:
            self._captured.forget()
        super().finalize()
