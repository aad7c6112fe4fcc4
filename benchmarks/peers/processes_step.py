"""Seconds of training iterations by the processes that `mpiexec` started; the first prints them as JSON."""
import json
import sys
import time

from source.processes import start_processes
from source.training import build_training
from source.yaml_utils import load_config

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
    if processes.is_first:
        print(json.dumps(seconds))


if __name__ == '__main__':
    main()
