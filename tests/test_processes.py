"""Several processes make the training that one makes of the whole batch."""
import json
import re

from source.datasets.batch_iterator import BatchIterator
from source.datasets.digits import DigitsDataset
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.results_dir import iteration_of, newest_snapshot
from source.processes import Share
from tests.several_processes import HALF, WHOLE, config, outputs, train

import numpy as np
import pytest


def arrays(path):
    with np.load(path) as npz:
        return {name: npz[name] for name in npz.files}


def exempt(name):
    """Biases before batch normalization: their gradient is zero, and Adam makes steps of its rounding.

    They move the mean that follows and nothing else.
    """
    return re.fullmatch(r'(.*/)?(c1|c2|c_sc|l1)/b|.*/avg_mean', name)


def assert_near(one, other, with_batch_norm=True, atol=2e-5):
    assert one.keys() == other.keys()
    compared = [name for name in one if not (with_batch_norm and exempt(name))]
    assert len(compared) >= 20
    for name in compared:
        np.testing.assert_allclose(other[name], one[name], rtol=0, atol=atol, err_msg=name)


# The same training

CHANGES = {'plain': {}, 'penalty': {'updater.args.penalties': {'gradient': {}, 'spectral_norm': {}}},
           'batch norm in both': {'models.discriminator.args.norm': 'batch'}, 'kernels': {'cpu_kernels': True}}


@pytest.mark.long
def test_four_processes_are_one(tmp_path):
    changes = {'batchsize': 2, 'updater.args.n_gen_samples': 3, **CHANGES['penalty']}
    train(1, config(tmp_path, {**WHOLE, **CHANGES['penalty']}, 'whole.yml'), tmp_path / 'one')
    train(4, config(tmp_path, {**HALF, **changes}, 'quarter.yml'), tmp_path / 'four')
    for name in ('ResNetGenerator', 'SNResNetProjectionDiscriminator'):
        one, four = (arrays(tmp_path / out / f'{name}_4.npz') for out in ('one', 'four'))
        assert_near(one, four, with_batch_norm=name == 'ResNetGenerator')


@pytest.mark.parametrize('changes', [
    pytest.param(changes, id=name, marks=[] if 'both' in name else pytest.mark.long)
    for name, changes in CHANGES.items()])
def test_two_processes_at_half_batch_are_one(tmp_path, changes):
    train(1, config(tmp_path, {**WHOLE, **changes}, 'whole.yml'), tmp_path / 'one')
    train(2, config(tmp_path, {**HALF, **changes}, 'half.yml'), tmp_path / 'two')
    for name in ('ResNetGenerator', 'SNResNetProjectionDiscriminator'):
        one, two = (arrays(tmp_path / out / f'{name}_4.npz') for out in ('one', 'two'))
        assert_near(one, two, with_batch_norm=name == 'ResNetGenerator' or 'batch' in changes.values())
    first = arrays(tmp_path / 'one' / 'ResNetGenerator_1.npz')
    moved = max(abs(one - first[name]).max() for name, one in arrays(
        tmp_path / 'one' / 'ResNetGenerator_4.npz').items() if name.endswith('/W'))
    assert moved > 1e-4  # or nothing was compared
    logs = [json.loads((tmp_path / out / 'log.json').read_text()) for out in ('one', 'two')]
    for one, two in zip(*logs, strict=True):
        assert one.keys() == two.keys()
        assert {k: v for k, v in two.items() if k != 'elapsed_time'} == pytest.approx(
            {k: v for k, v in one.items() if k != 'elapsed_time'}, abs=1e-4)


@pytest.mark.long
def test_batch_norm_of_each_process_is_another_training(tmp_path):
    """So the comparison above sees the difference that synchronizing makes."""
    train(1, config(tmp_path, WHOLE, 'whole.yml'), tmp_path / 'one')
    train(2, config(tmp_path, {**HALF, 'synchronized_batch_norm': False}, 'half.yml'), tmp_path / 'two')
    one, two = (arrays(tmp_path / out / 'ResNetGenerator_4.npz') for out in ('one', 'two'))
    with pytest.raises(AssertionError):
        assert_near(one, two)


@pytest.mark.long
def test_resuming_goes_on_bit_by_bit_with_any_number_of_processes(tmp_path):
    half = config(tmp_path, {**HALF, 'synchronized_batch_norm': False, 'cpu_kernels': True, 'snapshots.keep_last': 0},
                  'half.yml')
    stdout = train(2, half, tmp_path / 'whole')
    assert stdout.count('Done: 4 iterations') == 1
    train(2, half, tmp_path / 'resumed', '--resume', tmp_path / 'whole' / 'snapshot_iter_2')
    for name in ('ResNetGenerator_4.npz', 'SNResNetProjectionDiscriminator_4.npz'):
        one, two = (arrays(tmp_path / out / name) for out in ('whole', 'resumed'))
        assert [key for key in one if one[key].tobytes() != two[key].tobytes()] == []
    whole = config(tmp_path, {**WHOLE, 'iteration': 5}, 'whole.yml')
    train(1, whole, tmp_path / 'whole', '--resume', 'auto')
    assert iteration_of(newest_snapshot(tmp_path / 'whole')) == 5
    one, two = (arrays(tmp_path / 'whole' / f'snapshot_iter_{k}') for k in (4, 5))
    assert two['updater/iterator:main/n_drawn'] - one['updater/iterator:main/n_drawn'] == 2 * 8


TOGETHER = '''
import sys
import source
from source.functions.batch_normalization import batch_normalize
from source.processes import AverageGradients, digest, start_processes
from source.training import build_training
from source.yaml_utils import load_config
import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
processes, _ = start_processes(-1)

# Gradients are averaged from the first update on, whatever their order in memory.
model = L.Linear(3, 2)
model.W.array[...], model.b.array[...] = 0, 0
optimizer = chainer.optimizers.SGD(1.).setup(model)
optimizer.add_hook(AverageGradients(processes))
model.cleargrads()
model.W.grad = np.asfortranarray(np.arange(6, dtype='f').reshape(2, 3) * (1 + 2 * processes.rank))
optimizer.update()
np.testing.assert_array_equal(model.W.array, -processes.size * np.arange(6).reshape(2, 3))
np.testing.assert_array_equal(model.b.array, 0)

# Synchronized batch normalization, forward, backward and twice: in float64, against one process of the whole batch.
rng = np.random.RandomState(0)
n, c = 3 * processes.size, 4
x, gy, ggx = (rng.normal(size=(n, c, 2, 5)) for _ in range(3))
gamma, beta = rng.normal(size=(n, c)), rng.normal(size=(n, c))


def all_of(part, processes, relu):
    inputs = [chainer.Variable(a[part].copy()) for a in (x, gamma, beta)]
    mean, var = np.zeros(c), np.ones(c)
    with chainer.using_config('batch_norm_processes', processes):
        y = batch_normalize(*inputs, mean, var, relu=relu)
        gx, ggamma, gbeta = chainer.grad([F.sum(y * gy[part])], inputs, enable_double_backprop=True)
        second = chainer.grad([F.sum(gx * ggx[part])], inputs)
    return [y.array, gx.array, ggamma.array, gbeta.array, *(g.array for g in second if g is not None)], mean, var


part = slice(3 * processes.rank, 3 * processes.rank + 3)
for relu in (False, True):
    with chainer.using_config('cpu_kernels', False):
        whole, *averages = all_of(slice(None), None, relu)
        mine, *my_averages = all_of(part, processes, relu)
    assert len(mine) == len(whole) > 5
    for one, other in zip(whole, mine):
        np.testing.assert_allclose(other, one[part], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(my_averages, averages, rtol=1e-9)

# Parameters and u are equal and stay so; where they are not, that is seen.
config = load_config(sys.argv[1])
config['seed'] += processes.rank  # other initial values on each: the first one's have to win
gen, dis, _, updater = build_training(config, sys.argv[1], chainer.get_device('@numpy'), None, processes)
for _ in range(3):
    digests = processes.comm.mpi_comm.allgather((digest(gen), digest(dis)))
    assert digests == [digests[0]] * processes.size, digests
    updater.update()
averages = processes.comm.mpi_comm.allgather(gen.b5.avg_mean.tobytes())
assert len(set(averages)) == processes.size, 'each process has statistics of its own'
dis.block1.c1.u[0, 0] += processes.rank * 1e-6
try:
    processes.agree(digest(dis), 'u')
except RuntimeError as error:
    print(processes.rank, 'differs')
'''


@pytest.mark.parametrize('n', [2, pytest.param(3, marks=pytest.mark.long)])
def test_gradients_batch_norm_parameters_and_u_of_several_processes(tmp_path, n):
    status, stdout, stderr = outputs(n, '-c', TOGETHER, config(
        tmp_path, {**HALF, 'synchronized_batch_norm': False}, 'half.yml'))
    assert status == 0, stderr
    assert sorted(stdout.splitlines()[:n]) == [f'{rank} differs' for rank in range(n)]


# Shares of one batch

def test_noise_goes_with_the_images():
    """Of batches of 4 each process takes what belongs to its images; of another number, a slice."""
    dataset = DigitsDataset(size=8)
    parts = [BatchIterator(dataset, 4, seed=7, part=(rank, 3)) for rank in range(3)]
    whole, samplers = NoiseSampler(5, 10, seed=3), [NoiseSampler(5, 10, seed=3, shared_by=part) for part in parts]
    rng, rngs = np.random.RandomState(1), [Share(np.random.RandomState(1), part) for part in parts]
    for _ in range(3):
        for n in (4, 5):
            for expected, shares in (
                    (whole.categorical(3 * n), [sampler.categorical(n) for sampler in samplers]),
                    (whole.continuous(3 * n), [sampler.continuous(n) for sampler in samplers]),
                    (rng.uniform(size=3 * n), [each.uniform(size=n) for each in rngs])):
                assert {share.shape for share in shares} == {(n, *expected.shape[1:])}
                for part, share in zip(parts, shares, strict=True):
                    np.testing.assert_array_equal(share, part.share(expected))
                assert sorted(np.concatenate(shares).ravel()) == sorted(expected.ravel())
        for part in parts:
            part.next()
