"""Training with weights prepared together has the bits of training without, whoever changes weights in between."""
from source.kernels.reference import convolution as twins
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import _deserialize
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import build_updater, configured, run, state_of

import chainer
import numpy as np
import pytest

PLAIN = {'models.discriminator.args.norm': 'none'}
CONFIGS = [{}, PLAIN, {'updater.args.ema': .9}, {'updater.args.penalties': {'gradient': {}}},
           {**PLAIN, 'updater.args.penalties': {'gradient': {}}}]
IDS = ['spectral', 'plain', 'ema', 'penalty', 'plain, penalty']


@pytest.fixture(autouse=True)
def _on_the_gpus_road():
    with configured(kernel_set='reference'):
        yield


def in_place(updater, saved):
    for model in (updater.gen, updater.dis):
        for param in model.params():
            param.array[...] *= .9


def another_array(updater, saved):
    for model in (updater.gen, updater.dis):
        for param in model.params():
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


def trained(folder, changes, change, captured):
    """Losses, states and samples of a training with a change in its middle."""
    updater = build_updater(folder, changes)
    if captured:
        FakeGraphs(updater)
    losses = run(updater, 1)
    saved = state_of(updater)
    losses += run(updater, 3)
    change(updater, saved)
    losses += run(updater, 3)
    sampling(updater, saved)
    return losses, state_of(updater), updater.samples


@pytest.mark.parametrize('changes', CONFIGS, ids=IDS)
@pytest.mark.parametrize('change', [in_place, another_array, a_snapshot, another_step, learning_rate, sampling])
def test_same_bits(tmp_path, monkeypatch, changes, change):
    check(tmp_path, monkeypatch, changes, change, change is not another_array)  # which a graph would not follow


def test_same_bits_in_bfloat16(tmp_path, monkeypatch):
    pytest.importorskip('ml_dtypes')
    with configured(precision='bfloat16'):
        check(tmp_path, monkeypatch, {}, in_place, True)


def check(tmp_path, monkeypatch, changes, change, captured):
    losses, state, samples = trained(tmp_path, changes, change, captured)
    monkeypatch.delattr(twins, 'prepared')
    expected_losses, expected_state, expected_samples = trained(tmp_path, changes, change, False)
    assert losses == expected_losses
    assert [name for name in state if not np.array_equal(state[name], expected_state[name])] == []
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
