"""The updater with penalties, constraints and an auxiliary classifier, against loops written out here."""
from dis_models import gulrajani_32
from dis_models.snresnet_32 import SNResNetACDiscriminator
from source.ac_updater import ACUpdater
from source.functions.penalties import gradient_penalty, interpolate
from source.penalties import PENALTIES
from tests.gpu_road import run, state_of
from tests.test_updater import BATCH, N_GEN, Recorder, assert_near, descend, make, models

import chainer
import chainer.functions as F
import numpy as np
import pytest

ALL = {'gradient': {'weight': 3.}, 'orthonormal': {'weight': .5}, 'spectral_norm': {'weight': .2}}


@pytest.mark.parametrize('conditional', [True, False])
def test_draws_are_those_without_penalties(conditional):
    events = []
    for penalties in (None, ALL):
        recorder = Recorder(conditional)
        updater = make(*models(conditional), recorder, penalties=penalties, seed=0)
        np.random.seed(0)
        updater.update()
        assert np.random.randint(1000) == 684  # the first of the global state: nothing was drawn from it
        events.append(recorder.events)
    assert events[0] == events[1]


@pytest.mark.parametrize('loss_type, conditional', [('dcgan', False), ('wasserstein', True)])
def test_gradient_penalty_against_a_loop(loss_type, conditional):
    """GAN-GP and WGAN-GP: one discriminator update, reported losses and parameters."""
    gen, dis = models(conditional)
    expected = dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional), loss_type=loss_type, seed=7, penalties={'gradient': {}})
    recorder = Recorder(conditional)
    y_fake = recorder.categorical(BATCH) if conditional else None
    with chainer.no_backprop_mode():
        x_fake = gen.copy('copy')(z=recorder.continuous(BATCH), y=y_fake).array
    x_real, y_real = map(np.array, zip(*recorder.next(), strict=True))
    y_real = y_real.astype('i') if conditional else None
    reported = {}
    with chainer.Reporter().scope(reported):
        updater.update_discriminator()

    real, fake = expected(x_real, y_real), expected(x_fake, y_fake)
    loss = F.mean(fake) - F.mean(real) if loss_type == 'wasserstein' else (
        F.mean(F.softplus(fake)) + F.mean(F.softplus(-real)))
    epsilon = np.random.RandomState((7, list(PENALTIES).index('gradient'))).uniform(size=BATCH).astype('f')
    penalty = 10 * gradient_penalty(expected, interpolate(x_real, x_fake, epsilon), y_real)
    np.testing.assert_allclose(float(reported['loss_dis']), loss.array, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(float(reported['loss_gradient']), penalty.array, rtol=1e-4)
    descend(expected, loss + penalty, .1)
    for (path, param), (_, other) in zip(sorted(expected.namedparams()), sorted(dis.namedparams()), strict=True):
        np.testing.assert_allclose(other.array, param.array, rtol=1e-3, atol=1e-5, err_msg=path)


def test_all_are_reported_and_added():
    """Each alone moves the weights elsewhere."""
    reported, = run(make(*models(), Recorder(), penalties=ALL, seed=0), 1)
    assert set(reported) == {'loss_gen', 'loss_dis', *(f'loss_{name}' for name in ALL)}
    assert min(reported[f'loss_{name}'] for name in ALL) > 0
    ends = {}
    for name in (None, *ALL):
        gen, dis = models()
        make(gen, dis, Recorder(), penalties=name and {name: ALL[name]}, seed=0).update_discriminator()
        ends[name] = state_of(dis)
    for name in ALL:
        for path in ('block1/c1/W', 'block4/c2/W', 'l5/W'):
            assert (ends[name][path] != ends[None][path]).any(), (name, path)


def test_weights_are_constrained_after_every_update():
    gen, dis = models()
    updater = make(gen, dis, Recorder(), constraints={'clipping': {}})
    assert np.abs(dis.block2.c1.W.array).max() > .01
    updater.update()
    assert np.abs(dis.block2.c1.W.array).max() == np.float32(.01)
    counts = []
    updater.constraints = [lambda dis, n_updates: counts.append(n_updates)]
    updater.update()
    updater.update()
    assert counts == [3, 4, 5, 6]


@pytest.mark.parametrize('cls', [SNResNetACDiscriminator, gulrajani_32.ResNetACDiscriminator])
def test_ac_against_a_loop(cls):
    """Weight 1 on real images for D and 0.1 for G; D's fakes have the real batch's labels, and none are drawn."""
    gen, dis = models(cls=cls)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    recorder = Recorder()
    reported, = run(make(gen, dis, recorder, ACUpdater, loss_type='wasserstein'), 1)
    assert recorder.events == ['categorical 4', 'continuous 4', *['batch', 'continuous 2'] * 2]
    assert set(reported) == {'loss_gen', 'loss_dis', 'loss_ac_gen', 'loss_ac_dis'}

    def cross_entropy(logits, y):
        return -F.mean(F.log_softmax(logits)[np.arange(len(y)), y])
    recorder = Recorder()
    y = recorder.categorical(N_GEN)
    output, logits = dis_expected.classify(gen_expected(z=recorder.continuous(N_GEN), y=y))
    np.testing.assert_allclose(reported['loss_ac_gen'], .1 * cross_entropy(logits, y).array, rtol=1e-4)
    descend(gen_expected, -F.mean(output) + .1 * cross_entropy(logits, y), .05)
    for _ in range(2):
        x_real, y = map(np.array, zip(*recorder.next(), strict=True))
        real, logits = dis_expected.classify(x_real)
        fake = dis_expected(gen_expected(z=recorder.continuous(BATCH), y=y.astype('i')).array)
        loss_ac = cross_entropy(logits, y)
        descend(dis_expected, F.mean(fake) - F.mean(real) + loss_ac, .1)
    np.testing.assert_allclose(reported['loss_ac_dis'], loss_ac.array, rtol=1e-4)
    assert_near(gen, gen_expected)
    assert_near(dis, dis_expected)


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
