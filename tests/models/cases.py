"""Narrow Chainer networks with every parameter away from its initial value, and inputs for them."""
import importlib
from collections import namedtuple

import chainer
import chainer.functions as F
import numpy as np

from .definitions import DISCRIMINATORS, GENERATORS

N_CLASSES = 3
Case = namedtuple('Case', 'id table model x y condition concat R')
# Widths of the 32 px networks are the same throughout, those of the others reach 16 times this.
CH = {'resnet_32': 6, 'snresnet_32': 6}


def generator_case(name, n_classes, dtype=np.float32, seed=0):
    return _case(name, 'gen_models', 'ResNetGenerator', GENERATORS[name], n_classes, dtype, seed, dim_z=5)


def discriminator_case(name, n_classes, dtype=np.float32, seed=0):
    return _case(name, 'dis_models', 'SNResNetProjectionDiscriminator', DISCRIMINATORS[name], n_classes, dtype, seed)


def concat_case(n_classes, dtype=np.float32, seed=0):
    return _case('snresnet', 'dis_models', 'SNResNetConcatDiscriminator', DISCRIMINATORS['snresnet'], n_classes, dtype,
                 seed, dim_emb=4)


def _case(name, package, class_name, table, n_classes, dtype, seed, **kwargs):
    rng = np.random.RandomState(seed)
    network = getattr(importlib.import_module(f'{package}.{name}'), class_name)
    with chainer.using_config('dtype', np.dtype(dtype)):
        model = network(ch=CH.get(name, 2), n_classes=n_classes, **kwargs)
    for _, param in sorted(model.namedparams()):
        param.array = (param.array + rng.uniform(-.3, .3, param.shape)).astype(dtype)
    for link in model.links():
        if hasattr(link, 'avg_mean'):
            link.avg_mean[...] = rng.normal(size=link.avg_mean.shape)
            link.avg_var[...] = rng.uniform(.5, 2, size=link.avg_var.shape)
        if hasattr(link, 'u'):
            link.u[...] = rng.normal(size=link.u.shape)
    is_generator = package == 'gen_models'
    x = rng.normal(size=(3, model.dim_z)) if is_generator else rng.uniform(
        -1, 1, (2, 3, table.image_size, table.image_size))
    y = rng.randint(n_classes, size=len(x)).astype(np.int32) if n_classes else None
    condition = np.eye(n_classes)[y] if n_classes else None
    R = rng.normal(size=(3, 3, model.image_size, model.image_size) if is_generator else (2, 1))
    return Case(f'{class_name}-{name}-{n_classes}', table, model, x.astype(dtype), y, condition, 'dim_emb' in kwargs, R)


def arrays_of(model):
    """{name: array} as a snapshot has them, copied."""
    serializer = chainer.serializers.DictionarySerializer()
    serializer.save(model)
    return {name: np.array(array) for name, array in serializer.target.items()}


def run(case, train=True):
    """The network's output and, by name, the gradients of sum(R · output); that of the input is named 'x'."""
    x = chainer.Variable(case.x)
    case.model.cleargrads()
    with chainer.using_config('train', train):
        output = case.model(len(x), z=x, y=case.y) if hasattr(case.model, 'dim_z') else case.model(x, case.y)
    F.sum(output * case.R.astype(output.dtype)).backward()
    grads = {name.lstrip('/'): param.grad for name, param in case.model.namedparams()}
    return output.array, {**grads, 'x': x.grad}


ALL_CASES = [
    *((generator_case, name, n_classes) for name in GENERATORS for n_classes in (0, N_CLASSES)),
    *((discriminator_case, name, n_classes) for name in DISCRIMINATORS for n_classes in (0, N_CLASSES)),
    (concat_case, 0), (concat_case, N_CLASSES),
]
