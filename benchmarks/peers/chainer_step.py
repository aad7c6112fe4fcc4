"""A training iteration of this project, with the CPU kernels on (ours) or off (plain Chainer).

Run by `bench_step.py` with a request in JSON on standard input.
"""
import contextlib
import json
import sys

from benchmarks.timing import Stopwatch, measure, peak_bytes
from source.config import build
from source.datasets.image_dataset import ImageDataset
from source.kernels.switch import use_cpu_kernels
from source.links.constant_weights import as_configured
from source.links.spectrally_normalized import SpectrallyNormalized

import chainer
import numba
import numpy as np


@contextlib.contextmanager
def without_spectral_normalization():
    """All links compute with W itself: no power iteration, no division, no gradient through them."""
    W_bar = SpectrallyNormalized.W_bar
    SpectrallyNormalized.W_bar = property(lambda link: as_configured(link.W))
    try:
        yield
    finally:
        SpectrallyNormalized.W_bar = W_bar


def build_updater(config):
    """The config's updater as `train.py` builds it, on random images in memory."""
    device = chainer.get_device('@numpy')
    build.seed_everything(config['seed'], device)
    gen, dis = build.build_models(config, 'benchmark')
    rng, n_classes = np.random.RandomState(0), max(gen.n_classes, 1)
    ims = rng.randint(256, size=(1000, 3, gen.image_size, gen.image_size), dtype=np.uint8)
    dataset = ImageDataset(ims, rng.randint(n_classes, size=len(ims)), n_classes)
    return build.build_updater(config, 'benchmark', gen, dis, dataset, device)


def main():
    request = json.load(sys.stdin)
    use_cpu_kernels(request['cpu_kernels'])
    if chainer.config.cpu_kernels != request['cpu_kernels']:
        sys.exit('SNGAN_KERNELS=0 is set, which turns off the kernels that are to be measured')
    updater, stopwatch = build_updater(request['config']), Stopwatch()
    for method in ('update_generator', 'update_discriminator'):
        stopwatch.wrap(updater, method, method)
    for optimizer in updater.get_all_optimizers().values():
        stopwatch.wrap(optimizer, 'update', 'adam')
    variants = {'step': updater.update}
    if request['switch_off_spectral_normalization']:
        variants['without_spectral_normalization'] = without_spectral_normalization()(updater.update)
    records = measure(variants, stopwatch, request['seconds'], request['at_least'])
    print(json.dumps({'records': records, 'peak_bytes': peak_bytes(), 'versions': {
        'python': sys.version.split()[0], 'chainer': chainer.__version__, 'numpy': np.__version__,
        'numba': numba.__version__}}))


if __name__ == '__main__':
    main()
