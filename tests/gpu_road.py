"""Small trainings that take the GPU's road on a CPU, on the kernels' twins."""
import contextlib

from source.config import build
from source.config.yaml_utils import load_config
from source.datasets.image_dataset import ImageDataset
from source.processes import ALONE
from tests.narrow import UNCONDITIONAL, write_config

import chainer
import numpy as np
import pytest

CNN = {**UNCONDITIONAL, 'models.generator.fn': 'gen_models/cnn_32.py', 'models.generator.name': 'CNNGenerator',
       'models.discriminator.fn': 'dis_models/sncnn_32.py', 'models.discriminator.name': 'SNCNNDiscriminator',
       'models.generator.args.bottom_width': 4, 'seed': 6}
# Where an activation's input or a gradient is 0 but for rounding, one step of Adam may go either way: the smooth loss
# and the seeds leave that out of ten iterations.
NETWORKS = {'resnet_32': {'models.generator.args.bottom_width': 4}, 'cnn_32': CNN, 'resnet_48': {
    'models.generator.fn': 'gen_models/resnet_48.py', 'models.discriminator.fn': 'dis_models/snresnet_48.py',
    'models.generator.args.bottom_width': 6}}


@pytest.fixture(autouse=True)
def on_the_gpus_road():
    """For every test of a module that imports it."""
    with configured(kernel_set='reference'):
        yield


class Floats(ImageDataset):
    """The same images on every road: as they come without `load_ims`, and without noise."""

    load_ims = property()

    def get_examples(self, indices, rng):
        indices = np.asarray(indices, np.intp)
        return (self.ims[indices] / 128. - 1.).astype(np.float32), self.labels[indices]


def build_updater(folder, changes=None, dataset_class=ImageDataset, device='@numpy', processes=ALONE):
    """The updater of a narrow config on random images."""
    config = load_config(write_config(folder, {'updater.args.loss_type': 'dcgan', **(changes or {})}))
    device = chainer.get_device(device)
    device.use()
    build.seed_everything(config['seed'], device)
    gen, dis = build.build_models(config, 'test')
    ims = np.random.RandomState(0).randint(256, size=(40, gen.channels, *[gen.image_size] * 2), dtype=np.uint8)
    dataset = dataset_class(ims, np.arange(40) % 10, n_classes=10)
    return build.build_updater(config, 'test', gen, dis, dataset, device, processes)


def state_of(updater):
    """{name: array} of all that a snapshot of the updater holds."""
    target = chainer.serializers.DictionarySerializer()
    target.save(updater)
    return {name: np.array(value) for name, value in target.target.items()}


def parameters(updater):
    """{name: array} of both models, but for biases that batch normalization follows, in the generator.

    Their true gradient is 0, and Adam makes steps of its rounding. The last one's is followed by tanh.
    """
    arrays = {f'{model}{name}': chainer.backends.cuda.to_cpu(param.array).copy()
              for model, link in (('gen', updater.gen), ('dis', updater.dis)) for name, param in link.namedparams()}
    return {name: array for name, array in arrays.items()
            if not (name.startswith('gen') and name.endswith('/b')) or name in ('gen/c5/b', 'gen/c6/b')}


def assert_same(state, expected):
    assert state.keys() == expected.keys()
    assert [name for name in expected if not np.array_equal(state[name], expected[name])] == []


@contextlib.contextmanager
def configured(**config):
    with contextlib.ExitStack() as stack:
        for key, value in config.items():
            stack.enter_context(chainer.using_config(key, value))
        yield


def run(updater, iterations):
    """The losses that every iteration reports, as floats."""
    losses = []
    for _ in range(iterations):
        observation = {}
        with chainer.Reporter().scope(observation):
            updater.update()
        losses.append({name: float(value) for name, value in observation.items()})
    return losses


def run_alike(updater, expected, iterations):
    """Both updaters go on, and report and hold the same bits."""
    assert run(updater, iterations) == run(expected, iterations)
    assert_same(state_of(updater), state_of(expected))
