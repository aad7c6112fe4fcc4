"""Narrow Chainer networks with every parameter away from its initial value, and inputs for them."""
import importlib

from tests.models.definitions import DISCRIMINATORS, GENERATORS

import chainer
import chainer.functions as F
import numpy as np

N_CLASSES = 3
NETWORKS = [
    *((name, 'ResNetGenerator') for name in GENERATORS),
    *((name, 'SNResNetProjectionDiscriminator') for name in DISCRIMINATORS),
    ('snresnet', 'SNResNetConcatDiscriminator'),
]


def build(name, class_name, n_classes, ch=None, **kwargs):
    package = 'gen_models' if name in GENERATORS else 'dis_models'
    network = getattr(importlib.import_module(f'{package}.{name}'), class_name)
    # The 32 px networks are as wide throughout, the others grow to 16 times ch.
    return network(ch=ch or (6 if name.endswith('32') else 2), n_classes=n_classes, **kwargs)


class Case:
    def __init__(self, name, class_name, n_classes, dtype=np.float32, activation='relu', ch=None):
        rng = np.random.RandomState(0)
        self.id = f'{class_name} {name}, {n_classes} classes, {activation}, {np.dtype(dtype)}'
        self.table = {**GENERATORS, **DISCRIMINATORS}[name]
        self.is_generator, self.concat = name in GENERATORS, 'Concat' in class_name
        self.activation = activation
        kwargs = {'dim_z': 5} if self.is_generator else {'dim_emb': 4} if self.concat else {}
        with chainer.using_config('dtype', np.dtype(dtype)):
            self.model = build(name, class_name, n_classes, ch, activation=getattr(F, activation), **kwargs)
        _move_from_initial(self.model, np.dtype(dtype), rng)
        if self.is_generator:
            x, R = rng.normal(size=(3, 5)), rng.normal(size=(3, 3, self.model.image_size, self.model.image_size))
        else:
            x, R = rng.uniform(-1, 1, (2, 3, self.table.image_size, self.table.image_size)), rng.normal(size=(2, 1))
        self.x, self.R = x.astype(dtype), R
        self.y = rng.randint(n_classes, size=len(x)).astype(np.int32) if n_classes else None
        self.condition = np.eye(n_classes)[self.y] if n_classes else None

    def run(self):
        """The network's output and, by name, the gradients of sum(R · output); that of the input is named 'x'."""
        x = chainer.Variable(self.x)
        self.model.cleargrads()
        output = self.model(z=x, y=self.y) if self.is_generator else self.model(x, self.y)
        F.sum(output * self.R.astype(output.dtype)).backward()
        grads = {name.lstrip('/'): param.grad for name, param in self.model.namedparams()}
        return output.array, {**grads, 'x': x.grad}


def _move_from_initial(model, dtype, rng):
    for path, param in sorted(model.namedparams()):
        kind = 1. if 'gamma' in path else 0.
        if 'gamma' in path or 'beta' in path or param.ndim == 1:
            scale = .5
        else:
            scale = .5 * np.sqrt(3 / np.prod(param.shape[1:]))
        param.array = rng.uniform(kind - scale, kind + scale, param.shape).astype(dtype)
    for link in model.links():
        if hasattr(link, 'avg_mean'):
            link.dtype = dtype  # as the argument of this name would set it
            link.avg_mean = rng.normal(size=link.avg_mean.shape).astype(dtype)
            link.avg_var = rng.uniform(.5, 2, link.avg_var.shape).astype(dtype)
        if hasattr(link, 'u'):
            link.u[...] = rng.normal(size=link.u.shape)


def arrays_of(model):
    """{name: array} as a snapshot has them, copied."""
    serializer = chainer.serializers.DictionarySerializer()
    serializer.save(model)
    return {name: np.array(array) for name, array in serializer.target.items()}
