"""Starting Python by several processes on this machine; needs the extra `mpi`, which `dev` contains."""
import os
import shutil
import sys
from pathlib import Path

from benchmarks.peer_process import ROOT


def by_processes(n):
    """The beginning of a command, up to Python: `mpiexec -n <n> python`."""
    beside = Path(sys.executable).parent / 'mpiexec'
    mpiexec = str(beside if beside.exists() else shutil.which('mpiexec'))
    return [mpiexec, '--oversubscribe', '-n', str(n), sys.executable]


def environment(**variables):
    """For such a command: this process's, with variables set; as root too, as in a container."""
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'OMPI_ALLOW_RUN_AS_ROOT': '1', 'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM': '1',
            **variables}
