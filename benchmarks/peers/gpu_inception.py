"""Inception features of random 32x32 images on a GPU, by this project on random weights.

Run by `bench_gpu.py` with a request in JSON on standard input.
"""
import json
import sys
import time

from benchmarks.peers.inception_ours import random_network
from source.command_line.devices import get_device, gpu_index

import chainer
import numpy as np


def main():
    request = json.load(sys.stdin)
    network = random_network(gpu_index(get_device(request.get('gpu'))))
    ims = np.random.RandomState(0).randint(256, size=(request['batchsize'], 3, 32, 32), dtype=np.uint8)
    network(ims)
    start = time.perf_counter()
    for _ in range(-(-request['n'] // request['batchsize'])):
        network(ims)
    print(json.dumps({'seconds': time.perf_counter() - start, 'versions': {
        'python': sys.version.split()[0], 'chainer': chainer.__version__, 'numpy': np.__version__}}))


if __name__ == '__main__':
    main()
