"""Training with weights prepared together has the bits of training without, whoever changes weights in between."""
from source.kernels.reference import convolution as twins
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import _deserialize
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import assert_same, build_updater, configured, run, state_of

import chainer
import numpy as np
import pytest

PLAIN, PENALTY = {'models.discriminator.args.norm': 'none'}, {'updater.args.penalties': {'gradient': {}}}


@pytest.fixture(autouse=True)
def _on_the_gpus_road():
    with configured(kernel_set='reference'):
        yield


def in_place(updater, saved):
    for param in (*updater.gen.params(), *updater.dis.params()):
        param.array[...] *= .9


def another_array(updater, saved):
    for param in (*updater.gen.params(), *updater.dis.params()):
        param.array = param.array * np.float32(.9)


def a_snapshot(updater, saved):
    _deserialize('test', saved, updater)


def another_step(updater, saved):
    for optimizer in updater.get_all_optimizers().values():
        optimizer.update()


def learning_rate(updater, saved):
    for optimizer in updater.get_all_optimizers().values():
        optimizer.alpha *= 10


def sampling(updater, saved):
    sampler = NoiseSampler(updater.gen.dim_z, updater.gen.n_classes, updater.gen.distribution, 0)
    updater.samples = generate_ims(updater.gen, 4, sampler, batchsize=4)


def trained(folder, changes, events, captured):
    """Losses, states and samples of a training in which something happens after the third iteration and later."""
    updater = build_updater(folder, changes)
    if captured:
        FakeGraphs(updater)
    losses = run(updater, 1)
    saved = state_of(updater)
    losses += run(updater, 2)
    for event in events:
        event(updater, saved)
        losses += run(updater, 1)
    sampling(updater, saved)
    return losses, state_of(updater), updater.samples


@pytest.mark.parametrize('precision, changes, events', [
    ('bfloat16', {}, [in_place, learning_rate, a_snapshot, sampling]),
    ('float32', {**PLAIN, **PENALTY}, [another_step, another_array, a_snapshot]),
    ('float32', PENALTY, [sampling, another_array, another_step]),
    ('float32', {'updater.args.ema': .9}, [another_step, sampling, in_place]),
    ('float32', PLAIN, [a_snapshot, another_step, sampling, in_place])])
def test_same_bits(tmp_path, monkeypatch, precision, changes, events):
    pytest.importorskip('ml_dtypes')
    with configured(precision=precision):
        captured = another_array not in events  # which a graph would not follow
        losses, state, samples = trained(tmp_path, changes, events, captured)
        monkeypatch.delattr(twins, 'prepared')
        expected_losses, expected_state, expected_samples = trained(tmp_path, changes, events, False)
    assert losses == expected_losses
    assert_same(state, expected_state)
    np.testing.assert_array_equal(samples[0], expected_samples[0])


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
    n = {model: sum(isinstance(link, chainer.links.Convolution2D) for link in model.links())
         for model in (updater.gen, updater.dis)}
    assert sorted(calls) == sorted([n[updater.gen]] * 3 + [n[updater.dis]] * 5)
