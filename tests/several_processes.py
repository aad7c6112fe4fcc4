"""Runs a program by several processes, as `mpiexec` does."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def mpiexec(n, *arguments, **kwargs):
    """A started `mpiexec -n <n> python <arguments>`; needs the extra `mpi`, which `dev` contains."""
    beside = Path(sys.executable).parent / 'mpiexec'
    command = [beside if beside.exists() else shutil.which('mpiexec'), '--oversubscribe', '-n', n, sys.executable]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OPENBLAS_NUM_THREADS': '1', 'NUMBA_NUM_THREADS': '1',
                   'OMPI_ALLOW_RUN_AS_ROOT': '1', 'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM': '1'}
    return subprocess.Popen([str(word) for word in (*command, *arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment, **kwargs)


def outputs(n, *arguments):
    """(exit status, standard output, standard error) of `mpiexec`."""
    process = mpiexec(n, *arguments)
    stdout, stderr = process.communicate(timeout=120)
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
