"""Random Inception weights that anyone can make again: NumPy's RandomState promises its stream."""
import functools

from source.inception.inception_score import Inception
from source.inception.weights import weight_shapes

import chainer
import numpy as np


@functools.cache
def random_arrays(with_biases=False):
    """{our name: array} of all 660 arrays, scaled so that no layer vanishes or explodes; nobody may change them.

    The biases of convolutions are 0, as in every real file, unless `with_biases`.
    """
    rng = np.random.RandomState(0)
    arrays = {}
    for name, shape in sorted(weight_shapes().items()):
        kind = name.rpartition('/')[2]
        if kind == 'W':
            array = rng.standard_normal(shape) * np.sqrt((1. if name == 'logit/W' else 2.) / np.prod(shape[1:]))
        elif kind in ('gamma', 'avg_var'):
            array = rng.uniform(.7, 1.3, shape)
        elif kind in ('beta', 'avg_mean') or name == 'logit/b' or (kind == 'b' and with_biases):
            array = rng.standard_normal(shape) * .2
        else:
            array = np.zeros(shape)
        arrays[name] = array.astype(np.int64 if kind == 'N' else np.float32)
        arrays[name].flags.writeable = False
    return arrays


def inception(mode, arrays):
    """An Inception holding these arrays."""
    model = Inception(mode)
    chainer.serializers.NpzDeserializer(arrays).load(model)
    return model
