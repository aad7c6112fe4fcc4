"""The feature network `inception` of this project on random weights and images, kernels on or off (plain Chainer).

Run by `bench_inception.py` with a request in JSON on standard input.
"""
import json
import os
import sys
import tempfile

from benchmarks.timing import Stopwatch, measure, peak_bytes
from source.feature_networks import load_feature_network
from source.feature_networks.feature_network import save_weights
from source.inception.inception_score import Inception
from source.kernels.switch import use_cpu_kernels

import chainer
import numba
import numpy as np


def random_network(device=-1):
    """Random weights that neither vanish nor explode, read from a file as real ones are; device −1 is the CPU."""
    model = Inception()
    for param in model.params():
        if param.name == 'W':
            param.array *= np.float32(np.sqrt(2))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'random.h5')
        save_weights(path, model)
        return load_feature_network('inception', device, path)


def main():
    request = json.load(sys.stdin)
    use_cpu_kernels(request['cpu_kernels'])
    if chainer.config.cpu_kernels != request['cpu_kernels']:
        sys.exit('SNGAN_KERNELS=0 is set, which turns off the kernels that are to be measured')
    network, size = random_network(), request['size']
    ims = np.random.RandomState(0).randint(256, size=(request['batchsize'], 3, size, size), dtype=np.uint8)
    records = measure({'batch': lambda: network(ims)}, Stopwatch(), request['seconds'], request['at_least'])
    print(json.dumps({'seconds': [record['iteration'] for record in records['batch']], 'peak_bytes': peak_bytes(),
                      'versions': {'python': sys.version.split()[0], 'chainer': chainer.__version__,
                                   'numpy': np.__version__, 'numba': numba.__version__}}))


if __name__ == '__main__':
    main()
