"""Whatever kernels compute them, the convolutions are Chainer's composed with plain resampling."""
from source.functions.activation import LeakyReLU
from source.functions.convolution_2d import convolution_2d, deconvolution_2d, upsample_convolution_2d
from source.functions.convolution_2d import convolution_2d_downsample as downsample_convolution_2d

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.utils import type_check


def plain(x, W, b=None, stride=1, pad=0):
    return F.convolution_2d(x, W, b, stride, pad)


def plain_upsampling(x, W, b=None, pad=0):
    return F.convolution_2d(F.unpooling_2d(x, 2, cover_all=False), W, b, 1, pad)


def plain_downsampling(x, W, b=None, pad=0):
    return F.average_pooling_2d(F.convolution_2d(x, W, b, 1, pad), 2)


every_function = pytest.mark.parametrize('function, reference', [
    (convolution_2d, plain), (upsample_convolution_2d, plain_upsampling),
    (downsample_convolution_2d, plain_downsampling)])
LEAKY = LeakyReLU(.1)
# batch, in, out, height, width, kernel, pad, activation, whether there is a bias
SINGLE = [
    (1, 3, 5, 7, 9, 3, 1, None, True), (1, 3, 5, 7, 9, 3, 1, LEAKY, False), (1, 1, 1, 2, 2, 3, 1, F.relu, True),
    (3, 4, 8, 6, 4, 3, 1, None, False), (2, 16, 32, 8, 8, 3, 1, F.elu, True), (3, 33, 17, 13, 5, 3, 1, LEAKY, True),
    (2, 1, 24, 8, 12, 3, 1, F.relu, True), (2, 24, 1, 8, 12, 3, 1, LEAKY, True), (2, 1, 24, 5, 8, 1, 0, None, True),
    (1, 3, 5, 7, 9, 1, 0, LEAKY, True), (2, 16, 24, 5, 8, 1, 0, None, False), (2, 4, 6, 7, 8, 3, 0, F.relu, True),
    (2, 4, 6, 7, 8, 5, 2, None, False), (2, 4, 6, 7, 8, 1, 1, None, True), (1, 4, 6, 6, 8, 4, 1, LEAKY, True),
    (2, 4, 6, 6, 8, 3, (1, 1), None, True), (2, 4, 6, 6, 8, 3, (1, 0), None, True)]
DOUBLE = [(1, 3, 5, 7, 9, 3, 1, LEAKY, True), (2, 16, 24, 5, 8, 1, 0, F.relu, True),
          (2, 4, 6, 7, 8, 5, 2, None, False), (2, 4, 6, 7, 8, 1, 1, None, True)]


def draw(b, c_in, c_out, h, w, k, dtype=np.float32, with_bias=True):
    rng = np.random.RandomState(0)
    shapes = (b, c_in, h, w), (c_out, c_in, k, k), (c_out,)
    return [chainer.Variable(rng.normal(size=shape).astype(dtype)) for shape in (shapes if with_bias else shapes[:2])]


def assert_close(actual, expected, rtol=1e-4):
    """Relative to the largest number in each array."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    np.testing.assert_allclose(actual.array, expected.array, rtol=0, atol=rtol * np.abs(expected.array).max())


def compare(function, reference, inputs, rtol=1e-4):
    """The outputs, the gradients, and the gradients of the gradients' squares; and no input is changed."""
    before = [v.array.copy() for v in inputs]
    results = []
    for y in (function(*inputs), reference(*inputs)):
        R = np.random.RandomState(1).normal(size=y.shape).astype(y.dtype)
        grads = chainer.grad([F.sum(R * y ** 2)], inputs, enable_double_backprop=True)
        second = chainer.grad([sum(F.sum(g ** 2) for g in grads)], inputs)
        results.append([y, *grads, *second])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected, rtol)
    for variable, array in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(variable.array, array)


def check(function, reference, inputs, rtol=1e-4, activation=None, **kwargs):
    compare(lambda *v: function(*v, activation=activation, **kwargs),
            lambda x, *v: reference(activation(x) if activation else x, *v, **kwargs), inputs, rtol)


@every_function
@pytest.mark.parametrize('case, dtype, rtol', [
    *((case, np.float32, 1e-4) for case in SINGLE), *((case, np.float64, 1e-12) for case in DOUBLE)])
def test_against_chainer(function, reference, case, dtype, rtol):
    *size, pad, activation, with_bias = case
    check(function, reference, draw(*size, dtype, with_bias), rtol, activation, pad=pad)


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


@every_function
def test_strided_inputs(function, reference):
    """Views whose memory is in another order, as a channels-last batch's is."""
    x, W, b = draw(2, 16, 16, 6, 8, 3)
    x = chainer.Variable(np.ascontiguousarray(x.array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2))
    W = chainer.Variable(np.ascontiguousarray(W.array[::-1])[::-1])
    check(function, reference, [x, W, b], pad=1)


@every_function
def test_gradients_of_some_inputs(function, reference):
    inputs = draw(2, 16, 16, 8, 8, 3)
    for wanted in ((0,), (1,), (2,), (0, 2)):
        given = [x if i in wanted else x.array for i, x in enumerate(inputs)]
        grads = [chainer.grad([F.sum(f(*given, pad=1) ** 2)], [inputs[i] for i in wanted])
                 for f in (function, reference)]
        for actual, expected in zip(*grads, strict=True):
            assert_close(actual, expected)


STRIDE_2, FLOAT = {'stride': 2, 'pad': 1}, np.float32


@pytest.mark.parametrize('function, reference, size, dtype, activation, kwargs', [
    *((convolution_2d, plain, *case) for case in [
        ((2, 8, 16, 7, 9, 3), FLOAT, None, STRIDE_2), ((2, 8, 16, 8, 6, 4), FLOAT, LEAKY, STRIDE_2),
        ((2, 8, 16, 7, 9, 3), FLOAT, LEAKY, {'stride': (1, 2), 'pad': (0, 1)}),
        ((1, 3, 5, 7, 9, 4), FLOAT, None, {'stride': (2, 2), 'pad': (1, 1)})]),
    *((deconvolution_2d, F.deconvolution_2d, *case) for case in [
        ((2, 5, 3, 5, 7, 4), FLOAT, None, STRIDE_2), ((1, 16, 32, 4, 4, 4), FLOAT, F.relu, STRIDE_2),
        ((2, 5, 3, 5, 7, 4), FLOAT, F.relu, {**STRIDE_2, 'outsize': (11, 15)}),
        ((2, 3, 4, 5, 6, 3), FLOAT, LEAKY, {'pad': 1}), ((1, 1, 1, 1, 1, 4), FLOAT, F.relu, STRIDE_2),
        ((2, 5, 3, 5, 7, 4), np.float64, F.relu, STRIDE_2)])])
def test_strides_and_deconvolution(function, reference, size, dtype, activation, kwargs):
    x, W, b = draw(*size, dtype)
    if function is deconvolution_2d:
        W = chainer.Variable(W.array.transpose(1, 0, 2, 3).copy())
    check(function, reference, [x, W, b], 1e-4 if dtype == FLOAT else 1e-12, activation, **kwargs)


@pytest.mark.parametrize('function, k, kwargs', [
    (convolution_2d, 3, {'pad': 1}), (convolution_2d, 1, {}), (convolution_2d, 4, {'stride': 2, 'pad': 1}),
    (upsample_convolution_2d, 3, {'pad': 1}), (upsample_convolution_2d, 1, {}),
    (downsample_convolution_2d, 3, {'pad': 1}), (downsample_convolution_2d, 1, {}),
    (deconvolution_2d, 4, {'stride': 2, 'pad': 1})])
def test_refuses_shapes_that_do_not_fit(function, k, kwargs):
    for dtype in (np.float32, np.float64):
        for W_in, b_size in ((2, 8), (6, 8), (4, 7)):
            W = np.ones((W_in, 8, k, k) if function is deconvolution_2d else (8, W_in, k, k), dtype)
            with pytest.raises((ValueError, type_check.InvalidType)):
                function(np.ones((2, 4, 6, 6), dtype), W, np.ones(b_size, dtype), **kwargs)
