"""Narrow Chainer networks with parameters away from initial values, inputs, and what they are expected to give."""
import importlib

from source.results_folder.snapshots import flattened
from tests.models import definitions
from tests.models.definitions import DISCRIMINATORS, GENERATORS

import chainer
import chainer.functions as F
import numpy as np

N_CLASSES = 3
PROJECTION, CONCAT = 'SNResNetProjectionDiscriminator', 'SNResNetConcatDiscriminator'
NETWORKS = [
    *((name, 'CNNGenerator' if name.startswith('cnn') else 'ResNetGenerator') for name in GENERATORS),
    *((name, PROJECTION) for name in DISCRIMINATORS if name.startswith('snresnet')),
    ('snresnet', CONCAT), ('snresnet_32', CONCAT), ('snresnet_32', 'SNResNetACDiscriminator'),
    ('gulrajani_32', 'ResNetDiscriminator'), ('gulrajani_32', 'ResNetACDiscriminator'),
    *((name, 'SNCNNDiscriminator') for name in DISCRIMINATORS if name.startswith('sncnn')),
]
GENERATOR_32, CNN_GENERATOR_32 = ('resnet_32', 'ResNetGenerator'), ('cnn_32', 'CNNGenerator')
PROJECTION_32, CNN_32 = ('snresnet_32', PROJECTION), ('sncnn_32', 'SNCNNDiscriminator')
SMALL = GENERATOR_32, CNN_GENERATOR_32, PROJECTION_32, CNN_32


def class_of(name, class_name):
    package = 'gen_models' if name in GENERATORS else 'dis_models'
    return getattr(importlib.import_module(f'{package}.{name}'), class_name)


def build(name, class_name, n_classes=None, **kwargs):
    """Unless told otherwise with classes where that can be, and narrow."""
    if n_classes is None:
        n_classes = 0 if 'CNN' in class_name else N_CLASSES
    narrow = {'ch': 4, **({'dim_z': 5} if name in GENERATORS else {'dim_emb': 4} if class_name == CONCAT else {})}
    np.random.seed(0)
    return class_of(name, class_name)(n_classes=n_classes, **{**narrow, **kwargs})


class Reading(dict):
    """Arrays by name, and the names of those that were read, `read`."""

    def __getitem__(self, name):
        vars(self).setdefault('read', set()).add(name)
        return super().__getitem__(name)


class Case:
    def __init__(self, name, class_name, n_classes=None, dtype=np.float64, softplus=False, ch=4, **kwargs):
        rng = np.random.RandomState(0)
        self.table, self.is_generator = {**GENERATORS, **DISCRIMINATORS}[name], name in GENERATORS
        self.softplus, self.norm = softplus, kwargs.get('norm', 'spectral')
        self.kind = {PROJECTION: 'projection', CONCAT: 'concat', 'ResNetDiscriminator': 'projection, mean',
                     'ResNetACDiscriminator': 'classifier, mean'}.get(class_name, 'classifier')
        activation = {'activation': F.softplus} if softplus else {}
        self.model = model = build(name, class_name, n_classes, ch=ch, **kwargs, **activation)
        move_from_initial(model, rng, 10 if 'gan_lib' in name else 1)
        cast(model, dtype)
        self.widths = [round(ch * int(unit.rstrip('d')) * kwargs.get('scale', 1)) for unit in self.table.units.split()]
        self.widths[-2:] = [round(width * kwargs.get('final_scale', 1)) for width in self.widths[-2:]]
        size, n_classes = model.image_size, model.n_classes
        self.channels = kwargs.get('channels', 3)
        image = self.channels, size, size
        shapes = ((3, 5), (3, *image)) if self.is_generator else ((2, *image), (2, 1))
        self.x, self.R = rng.uniform(-1, 1, shapes[0]).astype(dtype), rng.normal(size=shapes[1])
        self.y = rng.randint(n_classes, size=len(self.x)).astype(np.int32) if n_classes else None
        self.condition = np.eye(n_classes)[self.y] if n_classes else None

    def output(self, x):
        return self.model(z=x, y=self.y) if self.is_generator else self.model(x, self.y)

    def run(self):
        """The network's output and, by name, the gradients of sum(R · output); that of the input is named 'x'."""
        x = chainer.Variable(self.x)
        self.model.cleargrads()
        output = self.output(x)
        F.sum(output * self.R.astype(output.dtype)).backward()
        grads = {name.lstrip('/'): param.grad for name, param in self.model.namedparams() if param.grad is not None}
        return output.array, {**grads, 'x': x.grad}

    def arrays(self):
        return Reading({name: array.astype(np.float64) for name, array in arrays_of(self.model).items()})

    def expected(self, p, x=None, train=True, vectors=None):
        """The output by `definitions` of arrays p; of other inputs where they are given."""
        inputs = self.table, self.widths, p, self.x.astype(np.float64) if x is None else x, self.condition
        activate = (lambda h: np.logaddexp(0, h)) if self.softplus else None
        if self.is_generator:
            return definitions.generator(*inputs, train, activate, self.channels)
        return definitions.discriminator(*inputs, self.kind, self.norm, activate, vectors)


def move_from_initial(model, rng, factor):
    """Biases, scales, statistics; weights are drawn anyway, and made larger where they are so small as to vanish."""
    for path, param in sorted(model.namedparams()):
        if 'gamma' in path:
            param.array *= rng.uniform(.5, 1.5, param.shape).astype('f')
        elif 'beta' in path or path.endswith('/b'):
            param.array[...] = rng.uniform(-.5, .5, param.shape)
        elif path.endswith('/W'):
            param.array *= factor
    for link in model.links():
        if hasattr(link, 'avg_mean'):
            link.avg_mean[...] = rng.normal(size=link.avg_mean.shape)
            link.avg_var[...] = rng.uniform(.5, 2, link.avg_var.shape)


def cast(model, dtype):
    for param in model.params():
        param.array = param.array.astype(dtype)
    for link in model.links():
        for name in getattr(link, '_persistent', ()):
            value = getattr(link, name)
            if isinstance(value, np.ndarray):
                setattr(link, name, value.astype(dtype))
        if hasattr(link, 'avg_mean'):
            link.dtype = np.dtype(dtype)  # as the argument of this name would set it


def arrays_of(model):
    """{name: array} as a snapshot has them, copied."""
    return {name: np.array(array) for name, array in flattened(model).items()}
