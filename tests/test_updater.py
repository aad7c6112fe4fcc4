from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from gen_models.resnet_32 import ResNetGenerator
from source.updater import Updater

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import serializers

N_CLASSES, DIM_Z, N_GEN, BATCH = 3, 5, 4, 2


class Recorder(chainer.iterators.SerialIterator):
    """An iterator and a sampler whose draws go into one list of events."""

    def __init__(self, fixed=False, conditional=True):
        rng = np.random.RandomState(0)
        x = rng.uniform(-1, 1, (5, 3, 32, 32)).astype('f')
        super().__init__([(x[i], i % N_CLASSES) for i in range(5)], BATCH, shuffle=False)
        self.rng, self.fixed, self.conditional, self.events = np.random.RandomState(1), fixed, conditional, []

    def next(self):
        self.events.append('batch')
        return super().next()

    def continuous(self, n):
        self.events.append(f'continuous {n}')
        if self.fixed:
            return np.random.RandomState(2).normal(size=(n, DIM_Z)).astype('f')
        return self.rng.normal(size=(n, DIM_Z)).astype('f')

    def categorical(self, n):
        assert self.conditional, 'labels were drawn in an unconditional run'
        self.events.append(f'categorical {n}')
        return (np.arange(n) if self.fixed else self.rng.randint(N_CLASSES, size=n)).astype(np.int32) % N_CLASSES


def models(conditional=True):
    np.random.seed(0)
    n_classes = N_CLASSES if conditional else 0
    gen = ResNetGenerator(ch=4, dim_z=DIM_Z, n_classes=n_classes)
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=n_classes)
    if conditional:
        for link in gen.links():
            if hasattr(link, 'gammas'):
                link.gammas.W.array += np.random.uniform(-.3, .3, link.gammas.W.shape).astype('f')
    return gen, dis


def make(gen, dis, recorder, lr=.05, n_gen_samples=N_GEN, **kwargs):
    SGD = chainer.optimizers.SGD
    optimizers = {'opt_gen': SGD(lr).setup(gen), 'opt_dis': SGD(2 * lr).setup(dis)}
    kwargs = {'n_dis': 2, 'loss_type': 'hinge', 'conditional': recorder.conditional, **kwargs}
    return Updater(models={'gen': gen, 'dis': dis}, iterator=recorder, optimizer=optimizers,
                   n_gen_samples=n_gen_samples, sampler=recorder, **kwargs)


def arrays_of(model):
    serializer = serializers.DictionarySerializer()
    serializer.save(model)
    return {name: np.array(array) for name, array in serializer.target.items()}


def moved(before, after):
    """Names of the parameters that changed."""
    return {name for name in before if name.rsplit('/', 1)[1] not in ('u', 'avg_mean', 'avg_var', 'N')
            and np.abs(after[name] - before[name]).max() > 0}


@pytest.mark.parametrize('n_dis', [1, 3])
@pytest.mark.parametrize('conditional', [True, False])
def test_order_of_draws(n_dis, conditional):
    recorder = Recorder(conditional=conditional)
    updater = make(*models(conditional), recorder, n_dis=n_dis)
    labels = [['categorical 4'], ['categorical 2']] if conditional else [[], []]
    iteration = [*labels[0], 'continuous 4', *['batch', *labels[1], 'continuous 2'] * n_dis]
    for i in range(2):
        updater.update()
        assert recorder.events == iteration * (i + 1)
    assert updater.iteration == 2


@pytest.mark.parametrize('n_dis', [1, 2])
def test_order_of_what_the_discriminator_sees(n_dis):
    gen, dis = models()
    recorder = Recorder()
    updater = make(gen, dis, recorder, n_dis=n_dis)
    seen = []

    class Hook(chainer.LinkHook):
        def forward_preprocess(self, args):
            if args.link is gen:
                seen.append('generated')
            elif args.link is dis:
                x, y = args.args
                x = x.array if isinstance(x, chainer.Variable) else x
                real = [np.array_equal(x, np.stack([image for image, _ in recorder.dataset[i:i + BATCH]]))
                        for i in range(0, 5, BATCH)]
                seen.append(f'{"real" if any(real) else "fake"} {len(x)} {y.tolist()}')
    state = recorder.rng.get_state()
    with Hook():
        updater.update()
    recorder.rng.set_state(state)
    fake = []
    for n in (N_GEN, *[BATCH] * n_dis):
        fake.append(f'fake {n} {recorder.categorical(n).tolist()}')
        recorder.continuous(n)
    expected = ['generated', fake[0]]
    for i in range(n_dis):
        expected += [f'real 2 {[[0, 1], [2, 0]][i]}', 'generated', fake[1 + i]]
    assert seen == expected


@pytest.mark.parametrize('n_dis', [1, 3])
def test_steps_of_u_and_of_batch_statistics(n_dis):
    """1 + 2 n_dis of the one, 1 + n_dis of the other, told by how far they came with all weights at rest."""
    gen, dis = models()
    before = arrays_of(dis)
    recorder = Recorder(fixed=True)
    make(gen, dis, recorder, lr=0., n_gen_samples=BATCH, n_dis=n_dis).update()
    after = arrays_of(dis)
    off_by_one = {}
    for name in [name[:-2] for name in before if name.endswith('/u')]:
        M = before[f'{name}/W'].reshape(len(before[f'{name}/W']), -1).astype(np.float64)
        us = [before[f'{name}/u'].astype(np.float64)]
        for _ in range(1 + 2 * n_dis):
            v = us[-1] @ M / np.linalg.norm(us[-1] @ M)
            us.append(v @ M.T / np.linalg.norm(v @ M.T))
        np.testing.assert_allclose(after[f'{name}/u'], us[-1], atol=1e-5, err_msg=name)
        off_by_one[name] = np.abs(us[-1] - us[-2]).max()
    assert max(off_by_one.values()) > 1e-2
    l1 = gen.l1(recorder.continuous(BATCH)).array.reshape(BATCH, 4, 4, 4)
    mean = l1.mean((0, 2, 3))
    assert np.abs(mean).max() > 1e-2
    np.testing.assert_allclose(gen.block2.b1.avg_mean, (1 - .9 ** (1 + n_dis)) * mean, rtol=1e-4, atol=1e-6)


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


@pytest.mark.parametrize('loss_type', LOSSES)
@pytest.mark.parametrize('conditional', [True, False])
def test_against_a_loop(loss_type, conditional):
    """Two iterations, all parameters, u, batch statistics and reported losses."""
    loss_dis, loss_gen = LOSSES[loss_type]
    gen, dis = models(conditional)
    gen_expected, dis_expected = gen.copy('copy'), dis.copy('copy')
    updater = make(gen, dis, Recorder(conditional=conditional), loss_type=loss_type)
    recorder = Recorder(conditional=conditional)

    def draw(n):
        y = recorder.categorical(n) if conditional else None
        return gen_expected(z=recorder.continuous(n), y=y), y

    def descend(model, loss, lr):
        model.cleargrads()
        loss.backward()
        for param in model.params():
            if param.grad is not None:
                param.array -= lr * param.grad
    for _ in range(2):
        reported = {}
        with chainer.Reporter().scope(reported):
            updater.update()
        x_fake, y_fake = draw(N_GEN)
        of_gen = loss_gen(dis_expected(x_fake, y_fake))
        descend(gen_expected, of_gen, .05)
        for _ in range(2):
            batch = recorder.next()
            y = np.array([label for _, label in batch], np.int32) if conditional else None
            real = dis_expected(np.stack([image for image, _ in batch]), y)
            x_fake, y_fake = draw(BATCH)
            of_dis = loss_dis(dis_expected(x_fake.array, y_fake), real)
            descend(dis_expected, of_dis, .1)
        assert set(reported) == {'loss_gen', 'loss_dis'}
        np.testing.assert_allclose(reported['loss_gen'], of_gen.array, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(reported['loss_dis'], of_dis.array, rtol=1e-4, atol=1e-5)
    for model, expected in ((gen, gen_expected), (dis, dis_expected)):
        expected, actual = arrays_of(expected), arrays_of(model)
        assert set(actual) == set(expected)
        for name in expected:
            np.testing.assert_allclose(actual[name], expected[name], rtol=1e-3, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(updater.get_iterator('main').current_position, recorder.current_position)


@pytest.mark.parametrize('conditional', [True, False])
def test_each_update_moves_one_network(conditional):
    gen, dis = models(conditional)
    updater = make(gen, dis, Recorder(conditional=conditional), loss_type='wasserstein')
    before = arrays_of(gen), arrays_of(dis)
    updater.update_generator()
    between = arrays_of(gen), arrays_of(dis)
    assert {'l1/W', 'block3/c2/W', 'c5/W', 'b5/gamma'} < moved(before[0], between[0])
    assert moved(before[1], between[1]) == set()
    assert np.abs(between[1]['l5/u'] - before[1]['l5/u']).max() > 0
    updater.update_discriminator()
    after = arrays_of(gen), arrays_of(dis)
    assert moved(between[0], after[0]) == set()
    assert np.abs(after[0]['b5/avg_mean'] - between[0]['b5/avg_mean']).max() > 0
    # The dense layer's W is one row: normalized, only its direction counts, which sums of differing features turn.
    assert {'block1/c1/W', 'block4/c2/W', 'l5/W'} < moved(between[1], after[1])


def test_default_sampler():
    """Seeded from NumPy's global state, of the generator's kind."""
    states = []
    for seed in (0, 0, 1):
        gen, dis = models()
        recorder = Recorder()
        np.random.seed(seed)
        updater = Updater(models={'gen': gen, 'dis': dis}, iterator=recorder, n_dis=1, loss_type='hinge',
                          conditional=True, n_gen_samples=N_GEN, optimizer={
                              'opt_gen': chainer.optimizers.SGD(.1).setup(gen),
                              'opt_dis': chainer.optimizers.SGD(.1).setup(dis)})
        updater.update()
        assert recorder.events == ['batch']
        states.append(arrays_of(gen)['l1/W'])
    np.testing.assert_array_equal(states[0], states[1])
    assert np.abs(states[0] - states[2]).max() > 1e-6


@pytest.mark.parametrize('kwargs, message', [
    ({'loss_type': 'hing'}, "dcgan, hinge, wasserstein.*'hing'"),
    ({'n_dis': 0}, 'n_dis.*at least 1.*0'),
    ({'n_gen_samples': 0}, 'n_gen_samples.*at least 1.*0'),
])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(*models(), Recorder(), **kwargs)


def test_resumes(tmp_path):
    """A loaded updater goes on as the saved one does: optimizers, iterator and the sampler's noise."""
    def start():
        gen, dis = models()
        optimizers = {'opt_gen': chainer.optimizers.Adam().setup(gen), 'opt_dis': chainer.optimizers.Adam().setup(dis)}
        np.random.seed(3)
        return Updater(models={'gen': gen, 'dis': dis}, iterator=Recorder(), optimizer=optimizers, n_dis=1,
                       loss_type='hinge', conditional=True, n_gen_samples=N_GEN)
    saved, loaded = start(), start()
    saved.update()
    serializers.save_npz(tmp_path / 'updater.npz', saved)
    serializers.load_npz(tmp_path / 'updater.npz', loaded)
    assert loaded.iteration == 1
    for updater in (saved, loaded):
        updater.update()
    for name in ('gen', 'dis'):
        expected, actual = arrays_of(saved.models[name]), arrays_of(loaded.models[name])
        for path in expected:
            np.testing.assert_array_equal(actual[path], expected[path], path)
