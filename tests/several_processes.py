"""Runs a program by several processes, as `mpiexec` does."""
import train as train_alone
from benchmarks.mpi import by_processes, environment
from benchmarks.processes_equality import DATASET
from tests import children
from tests.children import ROOT
from tests.narrow import run, write_config

LIMITS = {'OPENBLAS_NUM_THREADS': '1', 'NUMBA_NUM_THREADS': '1'}


def mpiexec(n, *arguments):
    """A started `mpiexec -n <n> python <arguments>`; needs the extra `mpi`, which `dev` contains."""
    return children.start(*by_processes(n), *arguments, env=environment(**LIMITS))


def outputs(n, *arguments):
    """(exit status, standard output, standard error) of `mpiexec`."""
    return children.finish(mpiexec(n, *arguments))


def train(n, config, out, *arguments):
    """`train.py` on CPUs, by `mpiexec` for n above 1, in this process for 1; returns what it printed."""
    options = ['--config', config, '--results_dir', out, '--gpu', -1, *arguments]
    if n == 1:
        assert run(train_alone.main, *options) == 0
        return ''
    status, stdout, stderr = outputs(n, ROOT / 'train.py', *options)
    assert status == 0, stderr
    return stdout


PLAIN = {'dataset.dataset_fn': 'plain.py', 'dataset.dataset_name': 'PlainImages', 'dataset.args': {},
         'synchronized_batch_norm': True, 'display_interval': 1, 'snapshot_interval': 1, 'evaluation_interval': 9,
         'iteration': 4, 'cpu_kernels': False, 'models.generator.args.dim_z': 45}
WHOLE = {**PLAIN, 'batchsize': 8, 'updater.args.n_gen_samples': 12}
HALF = {**PLAIN, 'batchsize': 4, 'updater.args.n_gen_samples': 6}


def config(folder, changes, name):
    (folder / 'plain.py').write_text(DATASET)
    return write_config(folder, changes, name)
