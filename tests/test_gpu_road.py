"""Training on the GPU's road, on the kernels' twins, and on the CPU's kernels, against Chainer's functions.

And what the GPU's road does its own way changes no bit: weights prepared together, gradients of fakes kept apart.
"""
from source.kernels.reference import convolution as twins
from source.links.further_gradients import FurtherGradients
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.optimizers.adam import Adam
from source.results_folder.snapshots import _deserialize
from tests import gpu_road
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import NETWORKS, Floats, assert_same, build_updater, configured, parameters, run, state_of
from tests.narrow import GREY_MODELS

import chainer
import numpy as np
import pytest
from chainer.optimizer_hooks import GradientClipping

on_the_gpus_road = gpu_road.on_the_gpus_road
WIDE = {'models.generator.args.ch': 16, 'models.discriminator.args.ch': 16, 'models.generator.args.dim_z': 16,
        'batchsize': 8, 'updater.args.n_gen_samples': 8}
ALL_NETWORKS = {
    **NETWORKS, 'grey': GREY_MODELS,
    'resnet_128': {'models.generator.fn': 'gen_models/resnet.py', 'models.discriminator.fn': 'dis_models/snresnet.py',
                   'models.generator.args.ch': 2, 'models.discriminator.args.ch': 2, 'batchsize': 2,
                   'updater.args.n_gen_samples': 2},
    'concat': {'models.discriminator.name': 'SNResNetConcatDiscriminator', 'models.discriminator.args.dim_emb': 3},
    'gulrajani': {'models.discriminator.fn': 'dis_models/gulrajani_32.py', 'models.discriminator.args.use_gamma': True,
                  'models.discriminator.name': 'ResNetDiscriminator'},
    **{norm: {'models.discriminator.args.norm': norm, 'updater.args.loss_type': 'hinge'}
       for norm in ('weight', 'frobenius', 'layer', 'batch', 'none')},
    **{loss: {'updater.args.loss_type': loss} for loss in ('hinge', 'wasserstein')}}


def in_float64(updater):
    """Makes parameters, persistent arrays, latents and images of an updater float64."""
    for param in (*updater.gen.params(), *updater.dis.params()):
        param.array = param.array.astype(np.float64)
        param.cleargrad()
    for link in (*updater.gen.links(), *updater.dis.links()):
        for name in link._persistent:
            value = getattr(link, name)
            if isinstance(value, np.ndarray) and value.dtype == np.float32:
                setattr(link, name, value.astype(np.float64))
    continuous, real_batch = updater.sampler.continuous, updater.real_batch
    updater.sampler.continuous = lambda n: continuous(n).astype(np.float64)

    def real_doubles():
        x, y = real_batch()
        return x.astype(np.float64), y
    updater.real_batch = real_doubles


def gradients_of(updater):
    """A list that gets {name: gradient} of every update of a model; 0 where there is none, as Adam takes it."""
    recorded = []
    for optimizer in updater.get_all_optimizers().values():
        def update(optimizer=optimizer, original=optimizer.update, further=None):
            gradients = {}
            for name, param in optimizer.target.namedparams():
                parts = param.grad, further and further.of(param)
                gradients[name] = sum((part for part in parts if part is not None), np.zeros_like(param.array))
            recorded.append(gradients)
            original(further=further)
        optimizer.update = update
    return recorded


def trained(folder, network, **config):
    """Losses of every iteration, gradients of every update, and {name: array} of all that a snapshot holds."""
    with configured(**config):
        updater = build_updater(folder, {**WIDE, **ALL_NETWORKS[network], 'seed': 0}, Floats)
        in_float64(updater)
        gradients = gradients_of(updater)
        losses = run(updater, 3)
    return losses, gradients, {name: array for name, array in state_of(updater).items() if array.dtype == np.float64}


def one_long(networks):
    return [pytest.param(name, marks=pytest.mark.long if name == 'resnet_48' else []) for name in networks]


@pytest.mark.parametrize('network', one_long(ALL_NETWORKS))
def test_same_in_float64(tmp_path, network):
    """Without rounding that matters nothing is exempt: every gradient of the first iteration within 1e-10 of its norm,
    or of what rounding leaves of a gradient of 0, and all that is kept, after three iterations, within 1e-8, a
    20,000th of a step of Adam."""
    losses, gradients, state = trained(tmp_path, network, kernel_set='reference')
    other_losses, other_gradients, other_state = trained(tmp_path, network, kernel_set='chainer', cpu_kernels=False)
    for one, other in zip(losses, other_losses, strict=True):
        assert one == pytest.approx(other, rel=1e-10)
    for one, other in zip(gradients[:3], other_gradients[:3], strict=True):
        assert one.keys() == other.keys()
        whole = np.sqrt(sum(np.sum(g ** 2) for g in other.values()))
        for name in other:
            assert np.linalg.norm(one[name] - other[name]) < 1e-10 * np.linalg.norm(other[name]) + 1e-13 * whole, name
    assert state.keys() == other_state.keys() and len(state) > 60
    for name in state:
        np.testing.assert_allclose(state[name], other_state[name], rtol=0, atol=1e-8, err_msg=name)


@pytest.mark.parametrize('network', one_long([*NETWORKS, 'grey']))
def test_ten_iterations_on_cpu_kernels(tmp_path, network):
    """Within 1e-3 in every parameter and 1e-5 in the mean, though Adam has moved them by more than that."""
    results = []
    for kernels in (True, False):
        with configured(kernel_set='device', cpu_kernels=kernels):
            updater = build_updater(tmp_path, ALL_NETWORKS[network])
            start = parameters(updater)
            run(updater, 10)
        results.append(parameters(updater))
    fast, plain = results
    differences = {name: np.abs(fast[name] - plain[name]) for name in plain}
    worst = max(differences, key=lambda name: differences[name].max())
    assert differences[worst].max() < 1e-3, worst
    assert max(difference.mean() for difference in differences.values()) < 1e-5
    assert max(np.abs(plain[name] - start[name]).max() for name in plain) > 2e-3


PLAIN, PENALTY = {'models.discriminator.args.norm': 'none'}, {'updater.args.penalties': {'gradient': {}}}


def trained_on_the_road(folder, changes):
    """Losses, state and samples of a captured training with a snapshot loaded and weights changed in between."""
    updater = build_updater(folder, changes)
    FakeGraphs(updater)
    losses = run(updater, 1)
    saved = state_of(updater)
    losses += run(updater, 3)
    _deserialize('test', saved, updater)
    losses += run(updater, 1)
    for optimizer in updater.get_all_optimizers().values():
        optimizer.update()
        for param in optimizer.target.params():
            param.array[...] *= .9
    sampler = NoiseSampler(updater.gen.dim_z, updater.gen.n_classes, updater.gen.distribution, 0)
    samples, _ = generate_ims(updater.gen, 4, sampler, batchsize=4)
    losses += run(updater, 3)
    return {**state_of(updater), 'samples': samples, 'losses': losses}


@pytest.mark.parametrize('precision, changes', [
    ('bfloat16', {}), ('float32', {'updater.args.ema': .9}), ('float32', PLAIN), ('float32', PENALTY),
    ('float32', {**PLAIN, **PENALTY}), ('bfloat16', GREY_MODELS)])
def test_same_bits_with_prepared_weights(tmp_path, monkeypatch, precision, changes):
    pytest.importorskip('ml_dtypes')
    with configured(precision=precision):
        prepared = trained_on_the_road(tmp_path, changes)
        monkeypatch.delattr(twins, 'prepared')
        assert_same(prepared, trained_on_the_road(tmp_path, changes))


def test_a_call_of_each_network_prepares_once(tmp_path, monkeypatch):
    """In an iteration with n_dis 2: the generator three times, the discriminator five."""
    calls = []

    def record(requests, dtype, original=twins.prepared):
        calls.append(len(requests))
        return original(requests, dtype)
    monkeypatch.setattr(twins, 'prepared', record)
    updater = build_updater(tmp_path)
    run(updater, 2)
    calls.clear()
    run(updater, 1)
    n_gen, n_dis = (sum(isinstance(link, chainer.links.Convolution2D) for link in model.links())
                    for model in (updater.gen, updater.dis))
    assert sorted(calls) == sorted([n_gen] * 3 + [n_dis] * 5)


FURTHER = {'spectral': {}, **{norm: {'models.discriminator.args.norm': norm} for norm in ('batch', 'layer', 'none')},
           'multiplier': {'models.discriminator.args.use_gamma': True}, 'auxiliary classifier': {
               'updater.fn': 'ac_updater.py', 'updater.name': 'ACUpdater', 'updater.args.n_gen_samples': 4,
               'models.discriminator.name': 'SNResNetACDiscriminator'}}


@pytest.fixture
def received(monkeypatch):
    """Of every update, how many parameters had further gradients."""
    counts = []

    def update(self, *args, original=Adam.update, further=None, **kwargs):
        params = list(self.target.params())
        counts.append(further and sum(further.of(param) is not None for param in params) / len(params))
        original(self, *args, further=further, **kwargs)
    monkeypatch.setattr(Adam, 'update', update)
    return counts


@pytest.mark.parametrize('changes', FURTHER.values(), ids=FURTHER)
def test_same_bits_with_further_gradients(tmp_path, monkeypatch, received, changes):
    updater = build_updater(tmp_path, changes)
    FakeGraphs(updater)
    losses = run(updater, 3)
    gen, *dis = received[:3]
    assert gen is None and min(dis) > .5
    monkeypatch.setattr(Adam, 'takes_further_gradients', lambda self: False)
    plain = build_updater(tmp_path, changes)
    received.clear()
    assert run(plain, 3) == losses
    assert set(received) == {None}
    assert_same(state_of(updater), state_of(plain))


def test_hooks_see_whole_gradients(tmp_path, received):
    """So do rules' own; there are no further ones beside a penalty, whose turn in the sum is the third, nor where
    parameters are moved one by one."""
    updaters = [build_updater(tmp_path) for _ in range(3)]
    updaters[0].get_optimizer('opt_dis').add_hook(GradientClipping(1.))
    next(updaters[1].dis.params()).update_rule.add_hook(lambda rule, param: None, name='nothing')
    for updater in (*updaters[:2], build_updater(tmp_path, {'updater.args.penalties': {'gradient': {}}})):
        run(updater, 1)
    for kernel_set in ('chainer', 'device'):
        with configured(kernel_set=kernel_set):
            run(updaters[2], 1)
    assert received == [None] * 15
    with configured(kernel_set='chainer'), pytest.raises(ValueError, match='further gradients'):
        updaters[2].get_optimizer('opt_dis').update(further=FurtherGradients())


def test_parameters_that_only_one_pass_reads():
    """Of either pass, and of none."""
    links, further = chainer.Link(), FurtherGradients()
    with links.init_scope():
        links.a, links.b, links.c = (chainer.Parameter(np.ones(3, 'f')) for _ in range(3))
    optimizer = Adam(alpha=.1, beta1=0., beta2=0.).setup(links)
    links.a.grad = np.full(3, 1, np.float32)
    further.stand_in(links.b).grad = np.full(3, -2, np.float32)
    optimizer.update(further=further)
    expected = [[.9] * 3, [1.1] * 3, [1] * 3]
    np.testing.assert_allclose([links.a.array, links.b.array, links.c.array], expected, rtol=1e-6)
