"""Runs a program by several processes, as `mpiexec` does."""
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.mpi import by_processes, environment
from benchmarks.processes_equality import DATASET
from tests.narrow import write_config

ROOT = Path(__file__).parent.parent


def mpiexec(n, *arguments, **kwargs):
    """A started `mpiexec -n <n> python <arguments>`; needs the extra `mpi`, which `dev` contains."""
    limits = {'OPENBLAS_NUM_THREADS': '1', 'NUMBA_NUM_THREADS': '1'}
    return subprocess.Popen([*by_processes(n), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env=environment(**limits), **kwargs)


def outputs(n, *arguments):
    """(exit status, standard output, standard error) of `mpiexec`."""
    process = mpiexec(n, *arguments)
    try:
        stdout, stderr = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.terminate()  # which ends the others too
        process.communicate()
        raise
    return process.returncode, stdout, stderr


def train(n, config, out, *arguments):
    """`train.py` on CPUs, by `mpiexec` for n above 1; returns what it printed."""
    command = [ROOT / 'train.py', '--config', config, '--results_dir', out, '--gpu', -1, *arguments]
    if n > 1:
        status, stdout, stderr = outputs(n, *command)
    else:
        done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True,
                              env={**os.environ, 'PYTHONPATH': str(ROOT), 'OPENBLAS_NUM_THREADS': '1'})
        status, stdout, stderr = done.returncode, done.stdout, done.stderr
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
