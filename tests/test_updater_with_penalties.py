"""The updater with penalties, constraints and an auxiliary classifier, against loops written out here."""
from dis_models import gulrajani_32
from dis_models.snresnet_32 import SNResNetACDiscriminator, SNResNetProjectionDiscriminator
from gen_models.resnet_32 import ResNetGenerator
from source.ac_updater import ACUpdater
from source.functions.penalties import gradient_penalty, interpolate
from source.links.norms import NORMS
from source.penalties import PENALTIES
from source.updater import Updater
from tests.test_updater import BATCH, DIM_Z, N_CLASSES, N_GEN, Recorder, arrays_of, make, models, moved

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import serializers

ALL = {'gradient': {'weight': 3.}, 'orthonormal': {'weight': .5}, 'spectral_norm': {'weight': .2}}


def step(updater):
    reported = {}
    with chainer.Reporter().scope(reported):
        updater.update()
    return {name: float(value) for name, value in reported.items()}


@pytest.mark.parametrize('conditional', [True, False])
def test_draws_are_those_without_penalties(conditional):
    events = []
    for penalties in (None, ALL):
        recorder = Recorder(conditional=conditional)
        updater = make(*models(conditional), recorder, penalties=penalties, seed=0)
        np.random.seed(0)
        updater.update()
        assert np.random.randint(1000) == 684  # the first of the global state: nothing was drawn from it
        events.append(recorder.events)
    assert events[0] == events[1]


@pytest.mark.parametrize('conditional', [True, False])
@pytest.mark.parametrize('loss_type', ['dcgan', 'wasserstein'])
def test_gradient_penalty_against_a_loop(loss_type, conditional):
    """GAN-GP and WGAN-GP: one discriminator update, reported losses and parameters."""
    gen, dis = models(conditional)
    expected = dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional=conditional), loss_type=loss_type, seed=7,
                   penalties={'gradient': {}})
    recorder = Recorder(conditional=conditional)
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
    expected.cleargrads()
    (loss + penalty).backward()
    for (path, param), (_, other) in zip(sorted(expected.namedparams()), sorted(dis.namedparams()), strict=True):
        np.testing.assert_allclose(other.array, param.array - .1 * param.grad, rtol=1e-3, atol=1e-5, err_msg=path)


def test_all_are_reported_and_added():
    gen, dis = models()
    updater = make(gen, dis, Recorder(), penalties=ALL, seed=0)
    reported = step(updater)
    assert set(reported) == {'loss_gen', 'loss_dis', 'loss_gradient', 'loss_orthonormal', 'loss_spectral_norm'}
    assert min(reported[f'loss_{name}'] for name in ALL) > 0


@pytest.mark.parametrize('penalty', ALL)
def test_each_moves_the_weights(penalty):
    ends = []
    for penalties in (None, {penalty: ALL[penalty]}):
        gen, dis = models()
        make(gen, dis, Recorder(fixed=True), penalties=penalties, seed=0).update_discriminator()
        ends.append(arrays_of(dis))
    assert {'block1/c1/W', 'block4/c2/W', 'l5/W'} < moved(*ends)


def test_weights_are_constrained_after_every_update():
    gen, dis = models()
    updater = make(gen, dis, Recorder(), constraints={'clipping': {}})
    assert np.abs(dis.block2.c1.W.array).max() > .01
    updater.update()
    assert np.abs(dis.block2.c1.W.array).max() == np.float32(.01)


def test_every_counts_discriminator_updates():
    """Three of them make one iteration, so the second of every two is now the first and third, now the second."""
    gen, dis = models()
    updater = make(gen, dis, Recorder(), n_dis=3, constraints={'singular_value_clipping': {'every': 2}})
    counts = []
    updater.constraints = [lambda dis, n_updates: counts.append(n_updates)]
    updater.update()
    updater.update()
    assert counts == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize('norm', NORMS)
def test_gradient_penalty_with_every_normalization(norm):
    """Table 7's reparametrizations and the others take steps with finite losses, and move all weights."""
    gen, _ = models()
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=N_CLASSES, norm=norm)
    before = arrays_of(dis)
    updater = make(gen, dis, Recorder(), loss_type='wasserstein', lr=1e-3, penalties={'gradient': {}}, seed=0)
    assert np.isfinite(list(step(updater).values())).all()
    weights = [path for path in before if path.endswith(('/W', '/U', '/V'))]
    assert set(weights) <= moved(before, arrays_of(dis)) | {'l5/S', 'l5/U'} and len(weights) >= 12


def test_resumes_with_the_penalties_state(tmp_path):
    def start():
        gen, dis = models()
        np.random.seed(3)
        optimizers = {'opt_gen': chainer.optimizers.Adam().setup(gen), 'opt_dis': chainer.optimizers.Adam().setup(dis)}
        return Updater(models={'gen': gen, 'dis': dis}, iterator=Recorder(), optimizer=optimizers, n_dis=2,
                       loss_type='dcgan', conditional=True, n_gen_samples=N_GEN, penalties=ALL, seed=0,
                       constraints={'singular_value_clipping': {'every': 3}})
    saved, loaded = start(), start()
    saved.update()
    serializers.save_npz(tmp_path / 'updater.npz', saved)
    serializers.load_npz(tmp_path / 'updater.npz', loaded)
    for updater in (saved, loaded):
        updater.update()
    for name in ('gen', 'dis'):
        expected, actual = arrays_of(saved.models[name]), arrays_of(loaded.models[name])
        for path in expected:
            np.testing.assert_array_equal(actual[path], expected[path], path)


# Auxiliary classifiers

def ac_models(cls=SNResNetACDiscriminator):
    np.random.seed(0)
    return ResNetGenerator(ch=4, dim_z=DIM_Z, n_classes=N_CLASSES), cls(ch=4, n_classes=N_CLASSES)


def make_ac(gen, dis, recorder, **kwargs):
    SGD = chainer.optimizers.SGD
    optimizers = {'opt_gen': SGD(.05).setup(gen), 'opt_dis': SGD(.1).setup(dis)}
    return ACUpdater(models={'gen': gen, 'dis': dis}, iterator=recorder, optimizer=optimizers, n_dis=2,
                     n_gen_samples=N_GEN, sampler=recorder, **kwargs)


@pytest.mark.parametrize('cls', [SNResNetACDiscriminator, gulrajani_32.ResNetACDiscriminator])
def test_ac_against_a_loop(cls):
    """Weight 1 on real images for D and 0.1 for G; D's fakes have the real batch's labels, and none are drawn."""
    gen, dis = ac_models(cls)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    recorder = Recorder()
    reported = step(make_ac(gen, dis, recorder))
    assert recorder.events == ['categorical 4', 'continuous 4', *['batch', 'continuous 2'] * 2]
    assert set(reported) == {'loss_gen', 'loss_dis', 'loss_ac_gen', 'loss_ac_dis'}

    def cross_entropy(logits, y):
        return -F.mean(F.log_softmax(logits)[np.arange(len(y)), y])

    def descend(model, loss, lr):
        model.cleargrads()
        loss.backward()
        for param in model.params():
            param.array -= lr * param.grad
    recorder = Recorder()
    y = recorder.categorical(N_GEN)
    output, logits = dis_expected.classify(gen_expected(z=recorder.continuous(N_GEN), y=y))
    np.testing.assert_allclose(reported['loss_ac_gen'], .1 * cross_entropy(logits, y).array, rtol=1e-4)
    descend(gen_expected, -F.mean(output) + .1 * cross_entropy(logits, y), .05)
    for _ in range(2):
        x_real, y = map(np.array, zip(*recorder.next(), strict=True))
        real, logits = dis_expected.classify(x_real)
        fake = dis_expected(gen_expected(z=recorder.continuous(BATCH), y=y.astype('i')).array)
        descend(dis_expected, F.mean(fake) - F.mean(real) + cross_entropy(logits, y), .1)
        cross_entropy_of_last = cross_entropy(logits, y).array
    np.testing.assert_allclose(reported['loss_ac_dis'], cross_entropy_of_last, rtol=1e-4)
    for model, expected in ((gen, gen_expected), (dis, dis_expected)):
        expected, actual = arrays_of(expected), arrays_of(model)
        for name in expected:
            np.testing.assert_allclose(actual[name], expected[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_ac_with_gradient_penalty():
    """AC-WGAN-GP, Table 8."""
    reported = step(make_ac(*ac_models(), Recorder(), penalties={'gradient': {}}, seed=0))
    assert set(reported) == {'loss_gen', 'loss_dis', 'loss_ac_gen', 'loss_ac_dis', 'loss_gradient'}
    assert np.isfinite(list(reported.values())).all()


def test_classify():
    _, dis = ac_models()
    x = np.random.RandomState(0).uniform(-1, 1, (2, 3, 32, 32)).astype('f')
    with chainer.using_config('train', False):
        output, logits = dis.classify(x)
        assert output.shape == (2, 1) and logits.shape == (2, N_CLASSES)
        np.testing.assert_array_equal(dis(x).array, output.array)
        np.testing.assert_array_equal(dis(x, np.zeros(2, 'i')).array, output.array)
        W = dis.l_ac.W_bar.array
        np.testing.assert_allclose(logits.array, dis.features(x).array @ W.T + dis.l_ac.b.array, rtol=1e-5)
        assert hasattr(dis.l_ac, 'u')


def test_ac_refuses():
    gen, dis = ac_models()
    with pytest.raises(ValueError, match='conditional must be true'):
        make_ac(gen, dis, Recorder(), conditional=False)
    with pytest.raises(ValueError, match='needs a discriminator that has one, got SNResNetProjectionDiscriminator'):
        make_ac(*models(), Recorder())
    with pytest.raises(ValueError, match='n_classes must be at least 1, got 0'):
        SNResNetACDiscriminator(ch=4)
