"""The updater, with penalties, constraints and an auxiliary classifier, against loops written out here."""
from dis_models import gulrajani_32
from dis_models.snresnet_32 import SNResNetACDiscriminator, SNResNetProjectionDiscriminator
from gen_models.resnet_32 import ResNetGenerator
from source.datasets.batch_checks import BadBatch
from source.functions.differentiable_augmentation import POLICIES, augment
from source.functions.penalties import gradient_penalty, interpolate
from source.iteration.ac_updater import ACUpdater
from source.iteration.penalties import PENALTIES
from source.updater import Updater
from tests.gpu_road import run, state_of

import chainer
import chainer.functions as F
import numpy as np
import pytest

N_CLASSES, DIM_Z, N_GEN, BATCH = 3, 5, 4, 2
ALL = {'gradient': {'weight': 3.}, 'orthonormal': {'weight': .5}, 'spectral_norm': {'weight': .2}}


class Recorder(chainer.iterators.SerialIterator):
    """An iterator and a sampler whose draws go into one list of events."""

    def __init__(self, conditional=True):
        x = np.random.RandomState(0).uniform(-1, 1, (5, 3, 32, 32)).astype('f')
        super().__init__([(x[i], i % N_CLASSES) for i in range(5)], BATCH, shuffle=False)
        self.rng, self.conditional, self.events = np.random.RandomState(1), conditional, []

    def next(self):
        self.events.append('batch')
        return super().next()

    def continuous(self, n):
        self.events.append(f'continuous {n}')
        return self.rng.normal(size=(n, DIM_Z)).astype('f')

    def categorical(self, n):
        assert self.conditional, 'labels were drawn in an unconditional run'
        self.events.append(f'categorical {n}')
        return self.rng.randint(N_CLASSES, size=n).astype(np.int32)

    def augmentation(self, n):
        self.events.append(f'augmentation {n}')
        return self.rng.randint(2 ** 24, size=(n, 7)).astype('f') / 2 ** 24

    def seen(self, x, policies):
        """x as a discriminator sees it, on numbers drawn here."""
        return augment(x, self.augmentation(len(x)), policies) if policies else chainer.as_variable(x)


def models(conditional=True, cls=SNResNetProjectionDiscriminator):
    np.random.seed(0)
    n_classes = N_CLASSES if conditional else 0
    gen, dis = ResNetGenerator(ch=4, dim_z=DIM_Z, n_classes=n_classes), cls(ch=4, n_classes=n_classes)
    for link in gen.links():
        if hasattr(link, 'gammas'):
            link.gammas.W.array += np.random.uniform(-.3, .3, link.gammas.W.shape).astype('f')
    return gen, dis


def make(gen, dis, recorder, cls=Updater, **kwargs):
    SGD = chainer.optimizers.SGD
    kwargs = {'n_dis': 2, 'loss_type': 'hinge', 'conditional': recorder.conditional, 'n_gen_samples': N_GEN,
              'sampler': recorder, **kwargs}
    return cls(models={'gen': gen, 'dis': dis}, iterator=recorder,
               optimizer={'opt_gen': SGD(.05).setup(gen), 'opt_dis': SGD(.1).setup(dis)}, **kwargs)


def real_batch(recorder):
    x, y = map(np.array, zip(*recorder.next(), strict=True))
    return x, y.astype(np.int32) if recorder.conditional else None


def descend(model, loss, lr):
    model.cleargrads()
    loss.backward()
    for param in model.params():
        if param.grad is not None:
            param.array -= lr * param.grad


def assert_near(model, expected):
    actual, expected = state_of(model), state_of(expected)
    assert actual.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-3, atol=1e-5, err_msg=name)


ALL_POLICIES = list(POLICIES)
LOSSES = {  # of the discriminator and of the generator
    'dcgan': (lambda fake, real: F.mean(F.softplus(-real) + F.softplus(fake)), lambda fake: F.mean(F.softplus(-fake))),
    'hinge': (lambda fake, real: F.mean(F.relu(1 - real) + F.relu(1 + fake)), lambda fake: F.mean(-fake)),
    'wasserstein': (lambda fake, real: F.mean(fake - real), lambda fake: F.mean(-fake))}


@pytest.mark.parametrize('loss_type, conditional, n_dis, augmentation', [
    ('dcgan', True, 2, []), ('hinge', False, 3, []), ('wasserstein', True, 1, []), ('wasserstein', False, 2, []),
    ('dcgan', True, 2, ALL_POLICIES)])
def test_against_a_loop(loss_type, conditional, n_dis, augmentation):
    """Two iterations: the order of draws, all parameters, u, batch statistics and reported losses."""
    loss_dis, loss_gen = LOSSES[loss_type]
    gen, dis = models(conditional)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional), loss_type=loss_type, n_dis=n_dis,
                   augmentation=augmentation)
    recorder = Recorder(conditional)

    def draw(n):
        y = recorder.categorical(n) if conditional else None
        return recorder.seen(gen_expected(z=recorder.continuous(n), y=y), augmentation), y
    for i in range(2):
        reported = run(updater, 1)[0]
        x_fake, y_fake = draw(N_GEN)
        of_gen = loss_gen(dis_expected(x_fake, y_fake))
        descend(gen_expected, of_gen, .05)
        for _ in range(n_dis):
            x_real, y_real = real_batch(recorder)
            real = dis_expected(recorder.seen(x_real, augmentation), y_real)
            x_fake, y_fake = draw(BATCH)
            of_dis = loss_dis(dis_expected(x_fake.array, y_fake), real)
            descend(dis_expected, of_dis, .1)
        assert reported == pytest.approx({'loss_gen': of_gen.item(), 'loss_dis': of_dis.item()}, rel=1e-4, abs=1e-5)
        assert updater.get_iterator('main').events == recorder.events
        assert updater.iteration == i + 1
    assert_near(gen, gen_expected)
    assert_near(dis, dis_expected)


def test_default_sampler():
    """Seeded from NumPy's global state, of the generator's kind."""
    weights = []
    for seed in (0, 0, 1):
        networks, recorder = models(), Recorder()
        np.random.seed(seed)
        make(*networks, recorder, sampler=None).update()
        assert recorder.events == ['batch', 'batch']
        weights.append(networks[0].l1.W.array)
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 1e-6


@pytest.mark.parametrize('loss_type, conditional, augmentation', [
    ('dcgan', False, []), ('wasserstein', True, []), ('wasserstein', True, ALL_POLICIES)])
def test_gradient_penalty_against_a_loop(loss_type, conditional, augmentation):
    """GAN-GP and WGAN-GP, of augmented images, too: one discriminator update, reported losses and parameters."""
    gen, dis = models(conditional)
    expected = dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional), loss_type=loss_type, seed=7, penalties={'gradient': {}},
                   augmentation=augmentation)
    recorder = Recorder(conditional)
    x_real, y_real = real_batch(recorder)
    x_real = recorder.seen(x_real, augmentation).array
    y_fake = recorder.categorical(BATCH) if conditional else None
    with chainer.no_backprop_mode():
        x_fake = recorder.seen(gen.copy('copy')(z=recorder.continuous(BATCH), y=y_fake), augmentation).array
    with chainer.Reporter().scope(reported := {}):
        updater.update_discriminator()
    real, fake = expected(x_real, y_real), expected(x_fake, y_fake)
    loss = LOSSES[loss_type][0](fake, real)
    epsilon = np.random.RandomState((7, list(PENALTIES).index('gradient'))).uniform(size=BATCH).astype('f')
    penalty = 10 * gradient_penalty(expected, interpolate(x_real, x_fake, epsilon), y_real)
    np.testing.assert_allclose(float(reported['loss_dis']), loss.array, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(float(reported['loss_gradient']), penalty.array, rtol=1e-4)
    descend(expected, loss + penalty, .1)
    assert_near(dis, expected)


def test_all_are_reported_and_added():
    """A step of SGD goes as far as those of the penalties alone together; and none draws the updater's numbers."""
    reported, = run(make(*models(), Recorder(), penalties=ALL, seed=0), 1)
    assert set(reported) == {'loss_gen', 'loss_dis', *(f'loss_{name}' for name in ALL)}
    assert min(reported[f'loss_{name}'] for name in ALL) > 0
    weights = []
    for penalties in ({}, *({name: ALL[name]} for name in ALL), ALL):
        updater = make(*models(), Recorder(), penalties=penalties, seed=0)
        updater.update_discriminator()
        assert updater.get_iterator('main').events == ['batch', 'categorical 2', 'continuous 2']
        weights.append(updater.dis.block1.c1.W.array)
    *alone, together = np.array(weights[1:]) - weights[0]
    assert min(np.abs(step).max() for step in alone) > 1e-3
    np.testing.assert_allclose(together, sum(alone), atol=1e-5)


def test_weights_are_constrained_after_every_update():
    updater = make(*models(), Recorder(), constraints={'clipping': {}})
    W = updater.dis.block2.c1.W
    assert np.abs(W.array).max() > .01
    updater.update()
    assert np.abs(W.array).max() == np.float32(.01)
    counts = []
    updater.constraints = [lambda dis, n_updates: counts.append(n_updates)]
    run(updater, 2)
    assert counts == [3, 4, 5, 6]


@pytest.mark.parametrize('cls, augmentation', [
    (SNResNetACDiscriminator, []), (gulrajani_32.ResNetACDiscriminator, []), (SNResNetACDiscriminator, ALL_POLICIES)])
def test_ac_against_a_loop(cls, augmentation):
    """Weight 1 on real images for D and 0.1 for G; D's fakes have the real batch's labels, and none are drawn."""
    gen, dis = models(cls=cls)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    recorder = Recorder()
    reported, = run(make(gen, dis, recorder, ACUpdater, loss_type='wasserstein', augmentation=augmentation), 1)
    events = ['categorical 4', 'continuous 4', 'augmentation 4',
              *['batch', 'augmentation 2', 'continuous 2', 'augmentation 2'] * 2]
    assert recorder.events == [event for event in events if augmentation or not event.startswith('augmentation')]
    assert set(reported) == {'loss_gen', 'loss_dis', 'loss_ac_gen', 'loss_ac_dis'}

    def cross_entropy(logits, y):
        return -F.mean(F.log_softmax(logits)[np.arange(len(y)), y])
    recorder = Recorder()
    y = recorder.categorical(N_GEN)
    output, logits = dis_expected.classify(
        recorder.seen(gen_expected(z=recorder.continuous(N_GEN), y=y), augmentation))
    np.testing.assert_allclose(reported['loss_ac_gen'], .1 * cross_entropy(logits, y).array, rtol=1e-4)
    descend(gen_expected, -F.mean(output) + .1 * cross_entropy(logits, y), .05)
    for _ in range(2):
        x_real, y = real_batch(recorder)
        real, logits = dis_expected.classify(recorder.seen(x_real, augmentation))
        fake = dis_expected(recorder.seen(gen_expected(z=recorder.continuous(BATCH), y=y).array, augmentation))
        loss_ac = cross_entropy(logits, y)
        descend(dis_expected, F.mean(fake) - F.mean(real) + loss_ac, .1)
    np.testing.assert_allclose(reported['loss_ac_dis'], loss_ac.array, rtol=1e-4)
    assert_near(gen, gen_expected)
    assert_near(dis, dis_expected)


class Tanh(chainer.Chain):
    """A generator of one weight, in float64."""

    dim_z, n_classes, distribution = DIM_Z, 0, 'normal'

    def forward(self, n, z, y):
        return F.tanh(F.reshape(F.linear(z.astype('d'), self.W), (n, 3, 8, 8)))


def test_the_generators_gradient_is_that_of_what_it_reports():
    """By finite differences of the loss, all of it through augmentation."""
    gen, dis = Tanh(), chainer.Sequential(lambda x, y: F.sum(x * x * weights, (1, 2, 3)))
    W, direction, weights = map(np.random.RandomState(0).standard_normal, ((192, DIM_Z), (192, DIM_Z), (3, 8, 8)))

    def step(W):
        with gen.init_scope():
            gen.W = chainer.Parameter(W.copy())
        updater = make(gen, dis, Recorder(conditional=False), loss_type='dcgan', augmentation=ALL_POLICIES)
        with chainer.Reporter().scope(reported := {}):
            updater.update_generator()
        return float(reported['loss_gen']), (W - gen.W.array) / .05
    difference = (step(W + 1e-5 * direction)[0] - step(W - 1e-5 * direction)[0]) / 2e-5
    assert np.sum(step(W)[1] * direction) == pytest.approx(difference, rel=1e-6) and abs(difference) > 1e-3


class Part(Recorder):
    """Gives part k of K of what a Recorder would draw for all of them."""

    def __init__(self, k, K, conditional=True):
        super().__init__(conditional)
        self.batch_size, self.k, self.K = K * BATCH, k, K

    def next(self):
        return super().next()[self.k * BATCH:(self.k + 1) * BATCH]

    def continuous(self, n):
        return super().continuous(n * self.K)[self.k * n:(self.k + 1) * n]

    def categorical(self, n):
        return super().categorical(n * self.K)[self.k * n:(self.k + 1) * n]


def average(links):
    for params in zip(*(link.params() for link in links), strict=True):
        mean = sum(param.array for param in params) / len(params)
        for param in params:
            param.array[...] = mean


@pytest.mark.parametrize('cls, model, conditional, n_gen', [
    (Updater, SNResNetProjectionDiscriminator, True, 3), (Updater, SNResNetProjectionDiscriminator, False, BATCH),
    (ACUpdater, SNResNetACDiscriminator, True, 5)])
def test_parts_against_copies_whose_weights_are_averaged(cls, model, conditional, n_gen):
    """A gradient descent's step by the mean gradient is the mean of the steps; of all else the first copy's is kept."""
    K = 2
    whole = Recorder(conditional)
    whole.batch_size, whole.accumulate = K * BATCH, K
    copies = [make(*models(conditional, model), Part(k, K, conditional), cls, n_gen_samples=n_gen) for k in range(K)]
    updater = make(*models(conditional, model), whole, cls, n_gen_samples=n_gen)
    start = updater.gen.l1.W.array.copy()
    for _ in range(2):
        updater.update()
        for name, network in (('generator', 'gen'), ('discriminator', 'dis'), ('discriminator', 'dis')):
            for each in copies:
                getattr(each, f'update_{name}')()
            average([getattr(each, network) for each in copies])
    expected, found = ({name: array for name, array in state_of(each).items() if name.startswith('model:')}
                       for each in (copies[0], updater))
    assert found.keys() == expected.keys() and abs(updater.gen.l1.W.array - start).max() > 1e-4
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert [event for event in whole.events if event == 'batch'] == ['batch'] * 4


def test_parts_share_what_a_users_updater_asks_for():
    class Own(Updater):
        def generate(self, n, y=None):
            y, = self.inputs('categorical', n)
            z, = self.inputs('continuous', n)
            return self.gen(n, z=z, y=y), y

    states = []
    for cls in (Updater, Own):
        recorder = Recorder()
        recorder.batch_size, recorder.accumulate = 2 * BATCH, 2
        updater = make(*models(), recorder, cls)
        updater.update()
        states.append((recorder.events, {k: a for k, a in state_of(updater).items() if k.startswith('model:')}))
    (events, expected), (own_events, found) = states
    assert own_events == events == [f'categorical {2 * N_GEN}', f'continuous {2 * N_GEN}', *2 * [
        'batch', f'categorical {2 * BATCH}', f'continuous {2 * BATCH}']]
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-6, err_msg=name)


def test_parts_refuse():
    recorder = Recorder()
    recorder.batch_size, recorder.accumulate = 2 * BATCH, 2
    for name in ('update_core', 'iterate', 'update_generator', 'update_discriminator'):
        own = type('Own', (Updater,), {name: lambda self: None})
        make(*models(), Recorder(), own)
        with pytest.raises(ValueError, match=f'accumulate is done by {name}, of which Own has one of its own'):
            make(*models(), recorder, own)
    whole = {'real_batch': lambda self: self.converter(self.get_iterator('main').next(), self.device)}
    own = type('Own', (Updater,), whole)
    expected = 'accumulate: expected Own.real_batch to return a part of the 4 images .* found 4; super'
    with pytest.raises(BadBatch, match=expected):
        make(*models(), recorder, own).update()


def test_augmentation_refuses():
    sampler = type('Own', (), {'continuous': None, 'categorical': None})()
    with pytest.raises(ValueError, match='augmentation needs a sampler that has it as a method, got Own'):
        make(*models(), Recorder(), sampler=sampler, augmentation='color')
    for name in ('generate', 'real_batch'):
        own = type('Own', (Updater,), {name: lambda self, *args: None})
        make(*models(), Recorder(), own)
        with pytest.raises(ValueError, match=f'augmentation is done by {name}, of which Own has one of its own'):
            make(*models(), Recorder(), own, augmentation='color')


def test_classify():
    _, dis = models(cls=SNResNetACDiscriminator)
    x = np.random.RandomState(0).uniform(-1, 1, (2, 3, 32, 32)).astype('f')
    with chainer.using_config('train', False):
        output, logits = dis.classify(x)
        np.testing.assert_array_equal(dis(x, np.zeros(2, 'i')).array, output.array)
        W = dis.l_ac.W_bar.array
        np.testing.assert_allclose(logits.array, dis.features(x).array @ W.T + dis.l_ac.b.array, rtol=1e-5)
        assert output.shape == (2, 1) and hasattr(dis.l_ac, 'u')


def test_ac_refuses():
    with pytest.raises(ValueError, match='conditional must be true'):
        make(*models(cls=SNResNetACDiscriminator), Recorder(), ACUpdater, conditional=False)
    with pytest.raises(ValueError, match='needs a discriminator that has one, got SNResNetProjectionDiscriminator'):
        make(*models(), Recorder(), ACUpdater)
    with pytest.raises(ValueError, match='n_classes must be at least 1, got 0'):
        SNResNetACDiscriminator(ch=4)
