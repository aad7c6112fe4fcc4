from source.functions.activation import LeakyReLU, activate
from tests.functions.test_convolution_2d import compare

import chainer
import chainer.functions as F
import numpy as np
import pytest


def leaky(slope):
    return LeakyReLU(slope), lambda x: F.leaky_relu(x, slope)


CHANNELS_LAST = np.random.RandomState(0).normal(size=(2, 5, 4, 3)).astype(np.float32)
CHANNELS_LAST.flat[::7] = 0
MAPS = np.ascontiguousarray(CHANNELS_LAST.transpose(0, 3, 1, 2))


@pytest.mark.parametrize('activation, reference, x, on_kernels', [
    (F.relu, F.relu, MAPS, True), (F.relu, F.relu, CHANNELS_LAST.transpose(0, 3, 1, 2), True),
    (F.relu, F.relu, MAPS[:, :, 0, 0], False), (*leaky(.1), MAPS, True), (*leaky(.1), MAPS[:, :, 0, 0], False),
    (*leaky(.1), MAPS.astype('d'), False), (*leaky(1.), MAPS, True), (*leaky(1.5), MAPS, False),
    (F.elu, F.elu, MAPS, False), (None, lambda x: x, MAPS, False), (None, lambda x: x, MAPS.astype('d'), False)])
def test_is_chainers(activation, reference, x, on_kernels):
    x = chainer.Variable(x)
    compare(lambda x: activate(activation, x), reference, [x], 1e-5)
    assert (type(activate(activation, x).creator).__name__ == '_Activation') == on_kernels
    with chainer.using_config('cpu_kernels', False):
        assert type(activate(activation, x).creator).__name__ != '_Activation'
