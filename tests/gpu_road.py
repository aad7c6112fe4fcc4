"""Small trainings that take the GPU's road on a CPU, on the kernels' twins."""
import contextlib

from source import build
from source.datasets.image_dataset import ImageDataset
from source.processes import ALONE
from source.yaml_utils import load_config
from tests.narrow import write_config

import chainer
import numpy as np


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
    ims = np.random.RandomState(0).randint(256, size=(40, 3, gen.image_size, gen.image_size), dtype=np.uint8)
    dataset = dataset_class(ims, np.arange(40) % 10, n_classes=10)
    return build.build_updater(config, 'test', gen, dis, dataset, device, processes)


class Doubles(Floats):
    """The same in float64."""

    def get_examples(self, indices, rng):
        x, y = super().get_examples(indices, rng)
        return x.astype(np.float64), y


def in_float64(updater):
    """The updater, whose parameters, persistent arrays and latents are made float64."""
    for link in (*updater.gen.links(), *updater.dis.links()):
        for name in link._params:
            parameter = getattr(link, name)
            parameter.array = parameter.array.astype(np.float64)
            parameter.cleargrad()
        for name in link._persistent:
            value = getattr(link, name)
            if isinstance(value, np.ndarray) and value.dtype == np.float32:
                setattr(link, name, value.astype(np.float64))
    continuous = updater.sampler.continuous
    updater.sampler.continuous = lambda n: continuous(n).astype(np.float64)
    return updater


def record_gradients(updater):
    """A list that gets {name: gradient} of every update of a model; 0 where there is none, as Adam takes it."""
    recorded = []
    for optimizer in updater.get_all_optimizers().values():
        def update(optimizer=optimizer, original=optimizer.update, **kwargs):
            gradients = {name: np.zeros_like(param.array) if param.grad is None else param.grad
                         for name, param in optimizer.target.namedparams()}
            if kwargs:
                for name, param in optimizer.target.namedparams():
                    further = kwargs['further'].of(param)
                    if further is not None:
                        gradients[name] = gradients[name] + further
            recorded.append({name: grad.copy() for name, grad in gradients.items()})
            original(**kwargs)
        optimizer.update = update
    return recorded


def state_of(updater):
    """{name: array} of all that a snapshot of the updater holds."""
    target = chainer.serializers.DictionarySerializer()
    target.save(updater)
    return {name: np.array(value) for name, value in target.target.items()}


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
