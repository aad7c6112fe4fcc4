"""Seconds of training iterations by the processes that `mpiexec` started, and the most bytes that each held.

The first prints them as JSON.
"""
import json
import resource
import sys
import time

from source.config.yaml_utils import load_config
from source.processes import start_processes
from source.training.assembly import build_training

import chainer


def main():
    request = json.loads(sys.argv[1])
    processes, _ = start_processes(-1)
    config = load_config(request['config'], request['overrides'])
    updater = build_training(config, request['config'], chainer.get_device('@numpy'), None, processes)[3]
    updater.update()  # loads and warms up
    seconds = []
    processes.wait()
    for _ in range(request['iterations']):
        start = time.perf_counter()
        updater.update()
        seconds.append(time.perf_counter() - start)
    peaks = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]
    if processes.size > 1:
        peaks = processes.comm.mpi_comm.allgather(peaks[0])
    if processes.is_first:
        print(json.dumps({'seconds': seconds, 'peak_bytes': peaks}))


if __name__ == '__main__':
    main()
