from source.functions.residual import branch, join
from tests.functions.test_convolution_2d import compare

import chainer
import chainer.functions as F
import numpy as np
import pytest


def block(x):
    a, b = branch(x)
    return join(F.sin(a), b ** 2)


def draw(shape, dtype=np.float32):
    return chainer.Variable(np.random.RandomState(0).normal(size=shape).astype(dtype))


@pytest.mark.parametrize('shape, dtype', [((2, 3, 5, 4), np.float32), ((2, 3, 5, 4), np.float64), ((2, 6), np.float32)])
def test_values_gradients_and_their_gradients(shape, dtype):
    compare(block, lambda x: F.sin(x) + x ** 2, [draw(shape, dtype)], 1e-5)
    for used in (0, 1):
        x = draw(shape, dtype)
        F.sum(branch(x)[used] * 3).backward()
        np.testing.assert_array_equal(x.grad, np.full(shape, 3))


def test_mixed_memory_orders():
    a, b = draw((2, 4, 5, 3)).array.transpose(0, 3, 1, 2), draw((2, 3, 4, 5)).array
    np.testing.assert_array_equal(join(*map(chainer.as_variable, (a, b))).array, a + b)


def test_shapes_that_differ_are_refused():
    with pytest.raises(chainer.utils.type_check.InvalidType):
        join(draw((2, 3, 4, 4)), draw((2, 3, 2, 2)))
