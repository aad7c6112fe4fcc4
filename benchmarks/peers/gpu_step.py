"""A training iteration of this project on a GPU: captured, or not, or with Chainer's own functions alone.

Run by `bench_gpu.py` with a request in JSON on standard input.
"""
import json
import sys
import time

from benchmarks import arithmetic
from source.command_line.devices import get_device
from source.config import build
from source.config.learning_rates import learning_rates
from source.datasets.image_dataset import ImageDataset
from source.kernels.switch import use_precision
from source.miscs.generate import generate_batches
from source.miscs.noise_sampler import NoiseSampler

import chainer
import numpy as np


def build_updater(config, device):
    """The config's updater as `train.py` builds it, on random images in memory."""
    build.seed_everything(config['seed'], device)
    use_precision(config['precision'])
    gen, dis = build.build_models(config, 'benchmark')
    rng, n_classes = np.random.RandomState(0), max(gen.n_classes, 1)
    ims = rng.randint(256, size=(1000, 3, gen.image_size, gen.image_size), dtype=np.uint8)
    dataset = ImageDataset(ims, rng.randint(n_classes, size=len(ims)), n_classes)
    return build.build_updater(config, 'benchmark', gen, dis, dataset, device)


def spec_of(config):
    """What the PyTorch peer needs to build the same networks, and the iteration's multiply-adds."""
    gen, dis = build.build_models(config, 'benchmark')
    args = config['updater']['args']
    dense = dis[dis.dense_name]
    return {
        'gen_widths': [gen[gen.block_names[0]].c1.W.shape[1], *(gen[name].c2.W.shape[0] for name in gen.block_names)],
        'dim_z': gen.dim_z, 'bottom_width': gen.bottom_width, 'n_classes': gen.n_classes, 'size': gen.image_size,
        'dis_blocks': [(dis[name].c2.W.shape[0], halves)
                       for name, (_, halves) in zip(dis.block_names, dis.blocks, strict=True)],
        'dense_has_bias': dense.b is not None, 'alphas': learning_rates(config),
        'betas': [config['adam']['beta1'], config['adam']['beta2']], 'batchsize': config['batchsize'],
        'n_gen_samples': args['n_gen_samples'], 'n_dis': args['n_dis'],
        'multiply_adds': arithmetic.iteration(gen, dis, args['n_gen_samples'], config['batchsize'], args['n_dis'])}


def synchronize(device):
    if device.xp is not np:
        device.xp.cuda.Device().synchronize()


def seconds_of_blocks(updater, device, blocks, iterations):
    """Seconds of an iteration, the mean of each block."""
    seconds = []
    for _ in range(blocks):
        synchronize(device)
        start = time.perf_counter()
        for _ in range(iterations):
            updater.update()
        synchronize(device)
        seconds.append((time.perf_counter() - start) / iterations)
    return seconds


def answer(request):
    device = get_device(request.get('gpu'))
    chainer.global_config.kernel_set = request['kernel_set']
    updater = build_updater(request['config'], device)
    if request.get('one_stream'):
        from source.kernels.cuda.graphs import Graphs
        updater.graphs = Graphs()
        updater.graphs.side_streams = None
    if request['what'] == 'sampling':
        gen, B = updater.gen, request['batchsize']
        sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, 0)
        list(generate_batches(gen, request['n'], sampler, batchsize=B))  # sees every number of images at a time
        start = time.perf_counter()
        for _ in generate_batches(gen, request['n'], sampler, batchsize=B):
            pass
        return {'seconds': time.perf_counter() - start}
    for _ in range(request['warm_up']):
        updater.update()
    seconds = seconds_of_blocks(updater, device, request['blocks'], request['iterations'])
    captured = updater._captured
    peak = 0
    if device.xp is not np:
        free, total = device.xp.cuda.runtime.memGetInfo()
        peak = total - free
    updater.finalize()
    return {'seconds': seconds, 'peak_bytes': peak, 'captured': captured is not None and captured.reason is None,
            'why_not': captured and captured.reason}


def main():
    request = json.load(sys.stdin)
    versions = {'python': sys.version.split()[0], 'chainer': chainer.__version__, 'numpy': np.__version__}
    if chainer.backends.cuda.available:
        versions['cupy'] = chainer.backends.cuda.cupy.__version__
    print(json.dumps({**answer(request), 'versions': versions}))


if __name__ == '__main__':
    main()
