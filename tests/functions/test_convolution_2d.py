"""Whatever kernels compute them, the convolutions are Chainer's composed with plain resampling."""
from source.functions.activation import LeakyReLU
from source.functions.convolution_2d import (
    convolution_2d,
    convolution_2d_downsample,
    deconvolution_2d,
    upsample_convolution_2d,
)

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.utils import type_check


def plain(x, W, b=None, stride=1, pad=0):
    return F.convolution_2d(x, W, b, stride, pad)


def upsample_plain(x, W, b=None, pad=0):
    return F.convolution_2d(F.repeat(F.repeat(x, 2, axis=2), 2, axis=3), W, b, 1, pad)


def plain_downsample(x, W, b=None, pad=0):
    y = F.convolution_2d(x, W, b, 1, pad)
    h, w = y.shape[2] // 2 * 2, y.shape[3] // 2 * 2
    return (y[:, :, :h:2, :w:2] + y[:, :, 1:h:2, :w:2] + y[:, :, :h:2, 1:w:2] + y[:, :, 1:h:2, 1:w:2]) / 4


every_function = pytest.mark.parametrize('function, reference', [
    (convolution_2d, plain), (upsample_convolution_2d, upsample_plain), (convolution_2d_downsample, plain_downsample)])
ACTIVATIONS = {'none': (None, lambda x: x), 'relu': (F.relu, F.relu),
               'leaky': (LeakyReLU(.1), lambda x: F.leaky_relu(x, .1)), 'elu': (F.elu, F.elu)}
# batch, in, out, height, width, kernel, pad, activation, whether there is a bias
SINGLE = [
    (1, 3, 5, 7, 9, 3, 1, 'none', True), (1, 3, 5, 7, 9, 3, 1, 'leaky', False), (1, 1, 1, 5, 5, 3, 1, 'leaky', True),
    (1, 1, 1, 2, 2, 3, 1, 'relu', True), (3, 4, 8, 6, 4, 3, 1, 'none', False), (2, 16, 32, 8, 8, 3, 1, 'relu', True),
    (2, 16, 32, 8, 8, 3, 1, 'elu', True), (3, 33, 17, 13, 5, 3, 1, 'leaky', True),
    (1, 64, 64, 4, 4, 3, 1, 'none', True), (2, 3, 24, 31, 18, 3, 1, 'none', True),
    (2, 8, 3, 16, 16, 3, 1, 'relu', True), (1, 3, 5, 7, 9, 1, 0, 'leaky', True), (2, 16, 24, 5, 8, 1, 0, 'none', False),
    (2, 16, 24, 5, 8, 1, 0, 'elu', True), (2, 4, 6, 7, 8, 3, 0, 'relu', True), (2, 4, 6, 7, 8, 5, 2, 'none', False),
    (2, 4, 6, 7, 8, 1, 1, 'none', True), (1, 4, 6, 6, 8, 4, 1, 'leaky', True)]
DOUBLE = [(1, 3, 5, 7, 9, 3, 1, 'leaky', True), (2, 16, 24, 5, 8, 1, 0, 'relu', True),
          (2, 4, 6, 7, 8, 5, 2, 'none', False), (2, 4, 6, 7, 8, 1, 1, 'none', True)]


def draw(b, c_in, c_out, h, w, k, dtype=np.float32, with_bias=True):
    rng = np.random.RandomState(0)
    x, W = rng.normal(size=(b, c_in, h, w)), rng.normal(size=(c_out, c_in, k, k))
    arrays = (x, W, rng.normal(size=c_out)) if with_bias else (x, W)
    return [chainer.Variable(array.astype(dtype)) for array in arrays]


def assert_close(actual, expected, rtol=1e-4):
    """Relative to the largest number in each array."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    np.testing.assert_allclose(actual.array, expected.array, rtol=0, atol=rtol * np.abs(expected.array).max())


def compare(function, reference, inputs, rtol=1e-4, activation='none', **kwargs):
    """The outputs, the gradients, and the gradients of the gradients' squares; and no input is changed."""
    activation, plain_activation = ACTIVATIONS[activation]
    before = [v.array.copy() for v in inputs]
    results = []
    for y in (function(*inputs, activation=activation, **kwargs),
              reference(plain_activation(inputs[0]), *inputs[1:], **kwargs)):
        R = np.random.RandomState(1).normal(size=y.shape).astype(y.dtype)
        grads = chainer.grad([F.sum(R * y ** 2)], inputs, enable_double_backprop=True)
        second = chainer.grad([sum(F.sum(g ** 2) for g in grads)], inputs)
        results.append([y, *grads, *second])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected, rtol)
    for variable, array in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(variable.array, array)


@every_function
@pytest.mark.parametrize('case, dtype, rtol', [
    *((case, np.float32, 1e-4) for case in SINGLE), *((case, np.float64, 1e-12) for case in DOUBLE)])
def test_against_chainer(function, reference, case, dtype, rtol):
    *size, pad, activation, with_bias = case
    compare(function, reference, draw(*size, dtype, with_bias), rtol, activation, pad=pad)


@every_function
def test_kernels_can_be_switched_off(function, reference):
    """And are on otherwise, or these tests compare Chainer with itself; with and without a graph."""
    inputs = draw(2, 16, 16, 8, 8, 3)
    on = function(*inputs, pad=1)
    with chainer.using_config('cpu_kernels', False):
        off = function(*inputs, pad=1)
    assert type(on.creator) is not type(off.creator)
    assert_close(on, off)
    with chainer.no_backprop_mode():
        assert_close(function(*inputs, pad=1), off)


@pytest.mark.parametrize('size, stride, pad, activation', [
    ((2, 8, 16, 7, 9, 3), 2, 1, 'none'), ((2, 8, 16, 7, 9, 3), (1, 2), (0, 1), 'leaky'),
    ((2, 8, 16, 8, 6, 4), 2, 1, 'leaky'), ((1, 3, 5, 7, 9, 4), (2, 2), (1, 1), 'none')])
def test_stride(size, stride, pad, activation):
    compare(convolution_2d, plain, draw(*size), activation=activation, stride=stride, pad=pad)


@every_function
def test_pad_as_pair(function, reference):
    for pad in ((1, 1), (1, 0)):
        compare(function, reference, draw(2, 4, 6, 6, 8, 3), pad=pad)


@every_function
def test_strided_inputs(function, reference):
    """Views whose memory is in another order, as a channels-last batch's is."""
    x, W, b = draw(2, 16, 16, 6, 8, 3)
    x = chainer.Variable(np.ascontiguousarray(x.array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2))
    W = chainer.Variable(np.ascontiguousarray(W.array[::-1])[::-1])
    compare(function, reference, [x, W, b], pad=1)


@every_function
def test_gradients_of_some_inputs(function, reference):
    inputs = draw(2, 16, 16, 8, 8, 3)
    for wanted in ((0,), (1,), (2,), (0, 2)):
        given = [x if i in wanted else x.array for i, x in enumerate(inputs)]
        grads = [chainer.grad([F.sum(f(*given, pad=1) ** 2)], [inputs[i] for i in wanted])
                 for f in (function, reference)]
        for actual, expected in zip(*grads, strict=True):
            assert_close(actual, expected)


@pytest.mark.parametrize('size, dtype, activation, kwargs', [
    ((2, 5, 3, 5, 7, 4), np.float32, 'none', {'stride': 2}), ((1, 16, 32, 4, 4, 4), np.float32, 'relu', {'stride': 2}),
    ((2, 5, 3, 5, 7, 4), np.float32, 'relu', {'stride': 2, 'outsize': (11, 15)}),
    ((2, 3, 4, 5, 6, 3), np.float32, 'leaky', {}), ((1, 1, 1, 1, 1, 4), np.float32, 'relu', {'stride': 2}),
    ((2, 5, 3, 5, 7, 4), np.float64, 'relu', {'stride': 2})])
def test_deconvolution(size, dtype, activation, kwargs):
    x, W, b = draw(*size, dtype)
    W = chainer.Variable(W.array.transpose(1, 0, 2, 3).copy())
    compare(deconvolution_2d, F.deconvolution_2d, [x, W, b], 1e-4 if dtype == np.float32 else 1e-12, activation,
            pad=1, **kwargs)


@pytest.mark.parametrize('function, k, kwargs', [
    (convolution_2d, 3, {'pad': 1}), (convolution_2d, 1, {}), (convolution_2d, 4, {'stride': 2, 'pad': 1}),
    (upsample_convolution_2d, 3, {'pad': 1}), (upsample_convolution_2d, 1, {}),
    (convolution_2d_downsample, 3, {'pad': 1}), (convolution_2d_downsample, 1, {}),
    (deconvolution_2d, 4, {'stride': 2, 'pad': 1})])
def test_refuses_shapes_that_do_not_fit(function, k, kwargs):
    for dtype in (np.float32, np.float64):
        for W_in, b_size in ((2, 8), (6, 8), (4, 7)):
            W = np.ones((W_in, 8, k, k) if function is deconvolution_2d else (8, W_in, k, k), dtype)
            with pytest.raises((ValueError, type_check.InvalidType)):
                function(np.ones((2, 4, 6, 6), dtype), W, np.ones(b_size, dtype), **kwargs)
