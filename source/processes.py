"""Training by several processes, `mpiexec -n 4 python train.py …`, each with a share of every batch.

On ChainerMN: communicator `naive` on CPUs, `pure_nccl` on GPUs. All processes make the same draws and keep their share,
so that one snapshot resumes any number of them, and parameters and `u` stay the same bits everywhere. What they keep of
a batch of images, BatchIterator says; noise is sliced alike, but that which each adds to its own images. Neither
ChainerMN's optimizer, whose first update only broadcasts, nor its `bcast_data`, which leaves persistent arrays out, is
used.
"""
import hashlib
import os
import sys
import time
import traceback

from source.command_line.commands_to_copy import install_command
from source.command_line.devices import DeviceError, n_gpus

import chainer
import numpy as np
from chainer.training import extension

_SIZES = 'OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'MPI_LOCALNRANKS', 'MV2_COMM_WORLD_SIZE'  # set by mpiexec, by maker
_PATIENCE_SECONDS = 2.


class Alone:
    """The one process of a training that has no others; what `Processes` does, for one."""

    rank, size, is_first = 0, 1, True

    def fail(self, message, status):
        print(message, file=sys.stderr)
        sys.exit(status)

    def wait(self):
        pass


ALONE = Alone()


class Processes:
    """This process among those that `mpiexec` started.

    `comm` is ChainerMN's communicator, `rank` counts from 0 below `size`; the first process alone writes and prints.
    """

    def __init__(self, comm):
        self.comm, self.rank, self.size = comm, comm.rank, comm.size
        self.is_first = self.rank == 0

    def mean(self, array):
        """The mean of float arrays of one shape, one from each process; the same bits on all."""
        on_cpu = chainer.backends.cuda.to_cpu(array)
        mean = (self.comm.allreduce(np.ascontiguousarray(on_cpu)) / self.size).astype(array.dtype).reshape(array.shape)
        return mean if on_cpu is array else chainer.backend.get_device_from_array(array).send(mean)

    def any(self, flag):
        """Whether the flag of any process is true."""
        return any(self.comm.mpi_comm.allgather(bool(flag)))

    def agree(self, value, what):
        """Raises RuntimeError where the processes have different values."""
        values = self.comm.mpi_comm.allgather(value)
        if any(other != values[0] for other in values):
            raise RuntimeError(f'the processes differ in {what}: {values}')

    def wait(self):
        """Returns when all processes called it."""
        self.comm.mpi_comm.barrier()

    def share(self, model):
        """Gives every process the first one's parameters and persistent arrays."""
        for _, link in sorted(model.namedlinks()):
            for name in sorted(link._persistent):
                setattr(link, name, self._from_first(getattr(link, name)))
            for name in sorted(link._params):
                parameter = getattr(link, name)
                if parameter.array is not None:
                    parameter.array = self._from_first(parameter.array)

    def _from_first(self, value):
        if not isinstance(value, chainer.get_array_types()):
            return self.comm.mpi_comm.bcast(value)
        array = np.ascontiguousarray(chainer.backends.cuda.to_cpu(value))
        self.comm.mpi_comm.Bcast(array)
        value[...] = chainer.backend.get_device_from_array(value).send(array)
        return value

    def fail(self, message, status):
        """Ends all processes with a message. What all have to say, the first says alone: the others wait for that."""
        if not self.is_first:
            time.sleep(_PATIENCE_SECONDS)
            message = f'process {self.rank} of {self.size}: {message}'
        print(message, file=sys.stderr, flush=True)
        self.comm.mpi_comm.Abort(status)


def start_processes(gpu=None):
    """(Processes, index of this one's GPU), or (ALONE, gpu) where `mpiexec` did not start this process.

    `gpu` is train.py's: None chooses a GPU for each process, where there are some. An exception that nobody catches
    ends all processes from here on. Raises DeviceError where a machine has fewer GPUs than processes, ValueError where
    what it takes is not installed.
    """
    if not any(os.environ.get(name, '1') != '1' for name in _SIZES):
        return ALONE, gpu
    try:
        from chainermn import create_communicator
        from mpi4py import MPI
    except ImportError as error:
        raise ValueError(f'mpiexec started this process, but {error}: {install_command("mpi")}') from None
    local = MPI.COMM_WORLD.Split_type(MPI.COMM_TYPE_SHARED)
    if gpu is None and n_gpus():
        gpu = local.rank
    if gpu is not None and gpu >= 0 and n_gpus() < local.size:
        raise DeviceError(f'expected a GPU for each of {local.size} processes, this machine has {n_gpus()}; '
                          f'--gpu -1 trains on CPUs')
    if gpu is not None and gpu >= 0:
        gpu = local.rank
        chainer.get_device(f'@cupy:{gpu}').use()
    try:
        comm = create_communicator('naive' if gpu is None or gpu < 0 else 'pure_nccl')
    except RuntimeError as error:
        raise ValueError(f'pure_nccl: {error}; --gpu -1 trains on CPUs') from None
    processes = Processes(comm)

    def end_all(kind, value, trace):
        processes.fail(''.join(traceback.format_exception(kind, value, trace)).rstrip(), 1)
    sys.excepthook = end_all
    return processes, gpu


class AverageGradients:
    """An optimizer hook: before an update, every gradient becomes its mean over the processes."""

    name, timing, call_for_each_param = 'average_gradients', 'pre', False

    def __init__(self, processes):
        self.processes = processes

    def __call__(self, optimizer):
        for parameter in optimizer.target.params():
            if parameter.grad is not None:  # ChainerMN would average a copy of one that is not contiguous
                parameter.grad = parameter.xp.ascontiguousarray(parameter.grad)
        self.processes.comm.multi_node_mean_grad(optimizer.target, zero_fill=True)


class AverageLosses(extension.Extension):
    """Every reported loss becomes its mean over the processes; so the log is that of the whole batch."""

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_WRITER + 200  # before anything is made of them

    def __init__(self, processes):
        self.processes = processes

    def __call__(self, trainer):
        names = sorted(name for name in trainer.observation if 'loss' in name)
        losses = np.array([float(trainer.observation[name]) for name in names])
        trainer.observation.update(zip(names, self.processes.mean(losses).astype(np.float32), strict=True))


class RequireAgreement(extension.Extension):
    """Raises RuntimeError where the processes' parameters, or their `u`, are no longer the same bits."""

    priority = extension.PRIORITY_READER - 100

    def __init__(self, processes, models):
        self.processes, self.models = processes, models

    def __call__(self, trainer):
        for model in self.models:
            self.processes.agree(digest(model), f'{type(model).__name__} at iteration {trainer.updater.iteration}')


def digest(model):
    """SHA-256 over the parameters and every `u` of a model, hexadecimal digits."""
    found = hashlib.sha256()
    for _, link in sorted(model.namedlinks()):
        arrays = [getattr(link, name).array for name in sorted(link._params)]
        arrays += [link.u] if 'u' in link._persistent else []
        for array in arrays:
            if array is not None:
                found.update(np.ascontiguousarray(chainer.backends.cuda.to_cpu(array)).tobytes())
    return found.hexdigest()
