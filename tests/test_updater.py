from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from gen_models.resnet_32 import ResNetGenerator
from source.updater import Updater
from tests.gpu_road import run, state_of

import chainer
import chainer.functions as F
import numpy as np
import pytest

N_CLASSES, DIM_Z, N_GEN, BATCH = 3, 5, 4, 2


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


def models(conditional=True, cls=SNResNetProjectionDiscriminator):
    np.random.seed(0)
    n_classes = N_CLASSES if conditional else 0
    gen, dis = ResNetGenerator(ch=4, dim_z=DIM_Z, n_classes=n_classes), cls(ch=4, n_classes=n_classes)
    if conditional:
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


def log_1_plus_exp(x):
    return F.logsumexp(F.stack([0 * x, x]), axis=0)


def positive_part(x):
    return F.where(x.array > 0, x, 0 * x)


LOSSES = {
    'dcgan': (lambda fake, real: F.mean(log_1_plus_exp(-real)) + F.mean(log_1_plus_exp(fake)),
              lambda fake: F.mean(log_1_plus_exp(-fake))),
    'hinge': (lambda fake, real: F.mean(positive_part(1 - real)) + F.mean(positive_part(1 + fake)),
              lambda fake: F.mean(-fake)),
    'wasserstein': (lambda fake, real: F.mean(fake) - F.mean(real), lambda fake: F.mean(-fake)),
}


@pytest.mark.parametrize('loss_type, conditional, n_dis', [
    ('dcgan', True, 2), ('hinge', False, 3), ('wasserstein', True, 1), ('wasserstein', False, 2)])
def test_against_a_loop(loss_type, conditional, n_dis):
    """Two iterations: the order of draws, all parameters, u, batch statistics and reported losses."""
    loss_dis, loss_gen = LOSSES[loss_type]
    gen, dis = models(conditional)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional), loss_type=loss_type, n_dis=n_dis)
    recorder = Recorder(conditional)

    def draw(n):
        y = recorder.categorical(n) if conditional else None
        return gen_expected(z=recorder.continuous(n), y=y), y
    for i in range(2):
        reported = run(updater, 1)[0]
        x_fake, y_fake = draw(N_GEN)
        of_gen = loss_gen(dis_expected(x_fake, y_fake))
        descend(gen_expected, of_gen, .05)
        for _ in range(n_dis):
            batch = recorder.next()
            y = np.array([label for _, label in batch], np.int32) if conditional else None
            real = dis_expected(np.stack([image for image, _ in batch]), y)
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
    states = []
    for seed in (0, 0, 1):
        gen, dis = models()
        recorder = Recorder()
        np.random.seed(seed)
        make(gen, dis, recorder, sampler=None).update()
        assert recorder.events == ['batch', 'batch']
        states.append(state_of(gen)['l1/W'])
    np.testing.assert_array_equal(states[0], states[1])
    assert np.abs(states[0] - states[2]).max() > 1e-6
