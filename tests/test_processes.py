"""Several processes make the training that one makes of the whole batch, and end together."""
import json
import os
import re
import signal
import sys

import train
from benchmarks.mpi import by_processes, environment
from benchmarks.processes_equality import DATASET, EXEMPT
from source.datasets.batch_iterator import BatchIterator
from source.datasets.digits import DigitsDataset
from source.iteration.inputs import Draws
from source.iteration.parts import Parts, Share
from source.miscs.noise_sampler import NoiseSampler
from source.processes import ALONE, start_processes
from source.results_folder.results_dir import iteration_of, newest_snapshot
from tests import children
from tests.narrow import files_in, run, write_config

import numpy as np
import pytest

GENERATOR, DISCRIMINATOR = 'ResNetGenerator', 'SNResNetProjectionDiscriminator'
TRAIN = children.ROOT / 'train.py'
PLAIN = {'dataset.dataset_fn': 'plain.py', 'dataset.dataset_name': 'PlainImages', 'dataset.args': {},
         'synchronized_batch_norm': True, 'display_interval': 1, 'snapshot_interval': 1, 'evaluation_interval': 9,
         'iteration': 4, 'cpu_kernels': False, 'models.generator.args.dim_z': 45}


def config(folder, n, changes=None, dataset=DATASET):
    """The config of one share in n of a training of which the whole batch is 8."""
    (folder / 'plain.py').write_text(dataset)
    share = {'batchsize': 8 // n, 'updater.args.n_gen_samples': 12 // n}
    return write_config(folder, {**PLAIN, **share, **(changes or {})}, f'share_{n}.yml')


def mpiexec(n, *arguments):
    """A started `mpiexec -n <n> python <arguments>`; needs the extra `mpi`, which `dev` contains."""
    env = environment(OPENBLAS_NUM_THREADS='1', NUMBA_NUM_THREADS='1')
    return children.start(*by_processes(n), *arguments, env=env)


def outputs(n, *arguments):
    return children.finish(mpiexec(n, *arguments))


def options(path, out):
    return ['--config', path, '--results_dir', out, '--gpu', -1]


def train_alone(path, out, *arguments):
    assert run(train.main, *options(path, out), *arguments) == 0


def train_together(n, path, out, *arguments):
    """Returns what was printed."""
    status, stdout, stderr = outputs(n, TRAIN, *options(path, out), *arguments)
    assert status == 0 and 'IntervalTrigger' not in stderr, stderr
    return stdout


def arrays(path):
    with np.load(path) as npz:
        return {name: npz[name] for name in npz.files}


@pytest.mark.parametrize('changes, n', [
    pytest.param({'models.discriminator.args.norm': 'batch'}, 2, id='batch norm in both'),
    *(pytest.param(changes, n, marks=pytest.mark.long) for changes, n in (
        ({}, 2), ({'cpu_kernels': True}, 2),
        ({'updater.args.penalties': {'gradient': {}, 'spectral_norm': {}}}, 4)))])
def test_several_processes_are_one(tmp_path, changes, n):
    train_alone(config(tmp_path, 1, changes), tmp_path / 'one')
    stdout = train_together(n, config(tmp_path, n, changes), tmp_path / 'several')
    assert set(files_in(tmp_path / 'several')) == set(files_in(tmp_path / 'one'))  # the first process alone writes
    assert len((tmp_path / 'several/log.jsonl').read_text().splitlines()) == 4  # and once
    assert [line.split()[1] for line in stdout.splitlines() if line.startswith('iteration ')] == ['1', '2', '3', '4']
    for name in (GENERATOR, DISCRIMINATOR):
        one, several = (arrays(tmp_path / out / f'{name}_4.npz') for out in ('one', 'several'))
        assert one.keys() == several.keys()
        has_batch_norm = name == GENERATOR or 'batch' in changes.values()
        compared = [key for key in one if not (has_batch_norm and EXEMPT.fullmatch(key))]
        assert len(compared) >= 20
        for key in compared:
            np.testing.assert_allclose(several[key], one[key], rtol=0, atol=2e-5, err_msg=key)
    first, last = (arrays(tmp_path / 'one' / f'{GENERATOR}_{k}.npz') for k in (1, 4))
    assert abs(last['c5/W'] - first['c5/W']).max() > 1e-4  # or nothing was compared
    logs = [json.loads((tmp_path / out / 'log.json').read_text()) for out in ('one', 'several')]
    for one, several in zip(*logs, strict=True):
        assert {**several, 'elapsed_time': 0} == pytest.approx({**one, 'elapsed_time': 0}, abs=1e-4)


def trained(folder, n, accumulate, changes):
    """{file: {name: array}} and the log of 3 iterations by n processes, `accumulate` parts each."""
    path = write_config(folder, {
        'batchsize': 2, 'updater.args.n_gen_samples': 3, 'accumulate': accumulate, 'iteration': 3,
        'display_interval': 1, 'snapshot_interval': 3, 'evaluation_interval': 9, **changes}, f'{n}_{accumulate}.yml')
    out = folder / f'{n}_{accumulate}'
    train_together(n, path, out) if n > 1 else train_alone(path, out)
    found = {path.name: arrays(path) for path in out.glob('*_3*') if path.is_file()}
    return found, json.loads((out / 'log.json').read_text())


@pytest.mark.parametrize('changes, n, accumulate', [
    ({'updater.args.ema': .9}, 1, 2),
    *(pytest.param(changes, n, accumulate, marks=pytest.mark.long) for changes, n, accumulate in (
        ({'updater.args.loss_type': 'dcgan', 'updater.args.augmentation': ['color', 'translation']}, 2, 2),
        ({'updater.args.loss_type': 'wasserstein', 'updater.args.n_gen_samples': 2, 'loader_workers': 2,
          'updater.args.penalties': {'gradient': {}, 'spectral_norm': {}, 'orthonormal': {}}}, 1, 4),
        ({'models.discriminator.args.norm': 'batch', 'cpu_kernels': False, 'updater.args.conditional': True}, 1, 4)))])
def test_parts_are_as_many_processes(tmp_path, changes, n, accumulate):
    """Losses, parameters, u, statistics, averaged weights and the numbers drawn so far, dequantization's included."""
    parts, log = trained(tmp_path, n, accumulate, changes)
    processes, expected_log = trained(tmp_path, n * accumulate, 1, changes)
    assert parts.keys() == processes.keys() and len(parts) >= 3
    for file, expected in processes.items():
        for name, array in expected.items():
            if file.startswith('snapshot') and not name.startswith('updater/') or EXEMPT.fullmatch(name):
                continue
            if array.dtype.kind in 'fc':
                # Adam's first steps are of one size: where a gradient is but rounding, one may go the other way.
                assert np.abs(parts[file][name] - array).mean() < 1e-5 + 1e-3 * np.abs(array).mean(), (file, name)
            else:
                np.testing.assert_array_equal(parts[file][name], array, f'{file} {name}')
    for one, other in zip(log, expected_log, strict=True):
        assert {**one, 'elapsed_time': 0} == pytest.approx({**other, 'elapsed_time': 0}, abs=1e-4)


@pytest.mark.long
def test_resuming_goes_on_bit_by_bit_with_any_number_of_processes(tmp_path, capsys):
    half = config(tmp_path, 2, {'synchronized_batch_norm': False, 'cpu_kernels': True, 'snapshots.keep_last': 0})
    assert train_together(2, half, tmp_path / 'whole').count('Done: 4 iterations') == 1
    train_together(2, half, tmp_path / 'resumed', '--resume', tmp_path / 'whole' / 'snapshot_iter_2')
    for name in (GENERATOR, DISCRIMINATOR):
        one, two = (arrays(tmp_path / out / f'{name}_4.npz') for out in ('whole', 'resumed'))
        assert [key for key in one if one[key].tobytes() != two[key].tobytes()] == []
    parts = config(tmp_path, 2, {'synchronized_batch_norm': False, 'cpu_kernels': True, 'accumulate': 2})
    train_alone(parts, tmp_path / 'parts', '--resume', tmp_path / 'whole' / 'snapshot_iter_2')
    for name in (GENERATOR, DISCRIMINATOR):
        one, two = (arrays(tmp_path / out / f'{name}_4.npz') for out in ('whole', 'parts'))
        for key in one.keys() - {key for key in one if EXEMPT.fullmatch(key)}:
            np.testing.assert_allclose(two[key], one[key], rtol=0, atol=2e-5, err_msg=key)
    capsys.readouterr()
    train_alone(config(tmp_path, 1, {'iteration': 5}), tmp_path / 'whole', '--resume', 'auto')
    assert re.search('each update of 8 real and 12 generated images; .*snapshot_iter_4 was trained with 2 parts, each '
                     'of 4 real and 6 generated images', capsys.readouterr().err)
    assert iteration_of(newest_snapshot(tmp_path / 'whole')) == 5
    one, two = (arrays(tmp_path / 'whole' / f'snapshot_iter_{k}') for k in (4, 5))
    assert two['updater/iterator:main/n_drawn'] - one['updater/iterator:main/n_drawn'] == 2 * 8
    train_together(2, config(tmp_path, 2, {'iteration': 6}), tmp_path / 'whole', '--resume', 'auto')


TOGETHER = '''
import sys
import source
from source.functions.batch_normalization import batch_normalize
from source.processes import AverageGradients, digest, start_processes
from source.training.assembly import build_training
from source.config.yaml_utils import load_config
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
    status, stdout, stderr = outputs(n, '-c', TOGETHER, config(tmp_path, 2, {'synchronized_batch_norm': False}))
    assert status == 0, stderr
    assert sorted(stdout.splitlines()[:n]) == [f'{rank} differs' for rank in range(n)]


def test_noise_goes_with_the_images():
    """Of batches of 4 each process takes what belongs to its images; of another number, a slice."""
    iterators = [BatchIterator(DigitsDataset(size=8), 4, seed=7, process=(rank, 3)) for rank in range(3)]
    draws = [Draws(iterator, NoiseSampler(5, 10, seed=3), None) for iterator in iterators]
    whole, rng = NoiseSampler(5, 10, seed=3), np.random.RandomState(1)
    rngs = [Share(np.random.RandomState(1), iterator, Parts()) for iterator in iterators]
    for _ in range(3):
        for n in (4, 5):
            for expected, shares in (
                    *((getattr(whole, kind)(3 * n), [each.draw(kind, n)[0] for each in draws])
                      for kind in ('categorical', 'continuous', 'augmentation')),
                    (rng.uniform(size=3 * n), [each.uniform(size=n) for each in rngs])):
                assert {share.shape for share in shares} == {(n, *expected.shape[1:])}
                for iterator, share in zip(iterators, shares, strict=True):
                    np.testing.assert_array_equal(share, iterator.share(expected))
                assert sorted(np.concatenate(shares).ravel()) == sorted(expected.ravel())
        for iterator in iterators:
            iterator.next()


def test_bad_input_is_told_once(tmp_path):
    status, stdout, stderr = outputs(2, TRAIN, '--config', 'none.yml')
    assert (status, stdout) == (2, '') and 'Traceback' not in stderr
    assert stderr.count('train.py: error: none.yml: cannot be read as a config file') == 1


def assert_ended(folder, dataset, expected):
    """Training on a data set of which one process makes an error ends with its message."""
    status, _, stderr = outputs(2, TRAIN, *options(config(folder, 2, dataset=dataset), folder / 'out'))
    assert status != 0 and expected in stderr, stderr


FAILING = DATASET + '''
    def load_ims(self, indices, rng=None):
        return self.ims[indices]

import os
PlainImages.n_calls = 0
plain = PlainImages.get_examples

def failing(self, indices, rng):
    PlainImages.n_calls += 1
    if PlainImages.n_calls == 6 and os.environ['OMPI_COMM_WORLD_RANK'] == '1':  # the first is before training
        %s
    return plain(self, indices, rng)

PlainImages.get_examples = failing
'''


@pytest.mark.parametrize('what, expected', [
    ("raise OSError(5, 'Input/output error', 'n01/a.JPEG')",
     'process 1 of 2: train.py: error: n01/a.JPEG: Input/output error; training stopped at iteration 2'),
    pytest.param("raise KeyError('a bug')", "KeyError: 'a bug'", marks=pytest.mark.long),
    pytest.param('raise SystemExit(0)', 'process 1 of 2: train.py: error: sys.exit(0) was called; training stopped at '
                 'iteration 2', marks=pytest.mark.long),
    pytest.param('os.kill(os.getpid(), 9)', '', marks=pytest.mark.long)])
def test_one_that_dies_ends_the_others_with_its_message(tmp_path, what, expected):
    assert_ended(tmp_path, FAILING.replace('%s', what), expected)
    assert iteration_of(newest_snapshot(tmp_path / 'out')) == 2


@pytest.mark.long
@pytest.mark.parametrize('rank, what, expected', [
    (0, "raise ValueError('a.JPEG: damaged')", 'share_2.yml: dataset: a.JPEG: damaged'),
    (1, "raise KeyError('a bug')", "KeyError: 'a bug'"), (1, 'raise SystemExit(0)', 'sys.exit(0) was called before')])
def test_one_that_cannot_begin_ends_the_others(tmp_path, rank, what, expected):
    assert_ended(tmp_path, DATASET.replace('def __init__(self):', f"""def __init__(self):
        import os
        if os.environ['OMPI_COMM_WORLD_RANK'] == '{rank}':
            {what}"""), expected)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('rank', [1, pytest.param(0, marks=pytest.mark.long)])
def test_a_signal_to_one_stops_all_in_the_same_iteration(tmp_path, rank):
    out, pid = tmp_path / 'out', tmp_path / 'pid'
    path = config(tmp_path, 2, {'iteration': 100000, 'snapshot_interval': 100000}, DATASET + f"""
import os
if os.environ['OMPI_COMM_WORLD_RANK'] == '{rank}':
    open({str(pid)!r}, 'w').write(str(os.getpid()))
""")
    process = mpiexec(2, TRAIN, *options(path, out))
    children.wait_until((out / 'log.jsonl').exists, process)
    os.kill(int(pid.read_text()), signal.SIGTERM)
    status, stdout, stderr = children.finish(process)
    assert (status, stdout.count('stopped by')) == (0, 1), stderr
    assert newest_snapshot(out) is not None


def test_without_mpiexec_there_is_one(monkeypatch):
    for name in list(os.environ):
        if name.startswith(('OMPI_', 'PMI')):
            monkeypatch.delenv(name)
    assert start_processes(-1) == (ALONE, -1)


def test_mpi_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv('OMPI_COMM_WORLD_SIZE', '2')
    monkeypatch.setitem(sys.modules, 'mpi4py', None)
    expected = r"mpiexec started this process, but .*mpi4py.*pip install -c \S*constraints.txt -e '\S*\[mpi\]'"
    with pytest.raises(ValueError, match=expected):
        start_processes(-1)


@pytest.mark.long
def test_processes_that_read_different_snapshots_stop(tmp_path):
    """As where each finds another newest one that is whole."""
    path = config(tmp_path, 2)
    train_alone(path, tmp_path / 'out')
    for rank, iteration in enumerate((2, 4)):
        (tmp_path / 'out' / f'snapshot_iter_{iteration}').rename(tmp_path / f'snapshot_iter_{rank}')
    (tmp_path / 'differing.py').write_text("""import os, runpy, sys
sys.argv += ['--resume', sys.argv.pop(1).replace('RANK', os.environ['OMPI_COMM_WORLD_RANK'])]
runpy.run_path(sys.argv.pop(1), run_name='__main__')
""")
    status, _, stderr = outputs(2, tmp_path / 'differing.py', tmp_path / 'snapshot_iter_RANK', TRAIN,
                                *options(path, tmp_path / 'again'))
    assert status != 0 and 'the processes differ in the snapshot that each can read: ' in stderr
