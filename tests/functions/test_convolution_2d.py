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


def repeat(x):
    return F.repeat(F.repeat(x, 2, axis=2), 2, axis=3)


def plain(x, W, b=None, stride=1, pad=0):
    return F.convolution_2d(x, W, b, stride, pad)


def upsample_plain(x, W, b=None, pad=0):
    return F.convolution_2d(repeat(x), W, b, 1, pad)


def plain_downsample(x, W, b=None, pad=0):
    y = F.convolution_2d(x, W, b, 1, pad)
    h, w = y.shape[2] // 2 * 2, y.shape[3] // 2 * 2
    return (y[:, :, :h:2, :w:2] + y[:, :, 1:h:2, :w:2] + y[:, :, :h:2, 1:w:2] + y[:, :, 1:h:2, 1:w:2]) / 4


FUNCTIONS = [(convolution_2d, plain), (upsample_convolution_2d, upsample_plain),
             (convolution_2d_downsample, plain_downsample)]
# batch, in, out, height, width, kernel, pad
SIZES = [
    (1, 3, 5, 7, 9, 3, 1),
    (1, 1, 1, 5, 5, 3, 1),
    (1, 1, 1, 2, 2, 3, 1),
    (3, 4, 8, 6, 4, 3, 1),
    (2, 16, 32, 8, 8, 3, 1),
    (3, 33, 17, 13, 5, 3, 1),
    (1, 64, 64, 4, 4, 3, 1),
    (2, 3, 24, 31, 18, 3, 1),
    (2, 8, 3, 16, 16, 3, 1),
    (1, 3, 5, 7, 9, 1, 0),
    (2, 16, 24, 5, 8, 1, 0),
    (2, 4, 6, 7, 8, 3, 0),
    (2, 4, 6, 7, 8, 5, 2),
    (2, 4, 6, 7, 8, 1, 1),
    (1, 4, 6, 6, 8, 4, 1),
]


def draw(b, c_in, c_out, h, w, k, dtype, with_bias):
    rng = np.random.RandomState(0)
    x, W = rng.normal(size=(b, c_in, h, w)), rng.normal(size=(c_out, c_in, k, k))
    arrays = (x, W, rng.normal(size=c_out)) if with_bias else (x, W)
    return [chainer.Variable(array.astype(dtype)) for array in arrays]


def assert_close(actual, expected, rtol):
    """Relative to the largest number in each array."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    np.testing.assert_allclose(actual.array, expected.array, rtol=0, atol=rtol * np.abs(expected.array).max())


def compare(function, reference, inputs, rtol, **kwargs):
    """The outputs, the gradients, and the gradients of the gradients' squares."""
    results = []
    for f in (function, reference):
        y = f(*inputs, **kwargs)
        R = np.random.RandomState(1).normal(size=y.shape).astype(y.dtype)
        grads = chainer.grad([F.sum(R * y ** 2)], inputs, enable_double_backprop=True)
        second = chainer.grad([sum(F.sum(g ** 2) for g in grads)], inputs)
        results.append([y, *grads, *second])
    for actual, expected in zip(*results, strict=True):
        assert_close(actual, expected, rtol)


@pytest.mark.parametrize('function, reference', FUNCTIONS)
@pytest.mark.parametrize('size', SIZES)
def test_float32(function, reference, size):
    compare(function, reference, draw(*size[:6], np.float32, True), 1e-4, pad=size[6])


@pytest.mark.parametrize('function, reference', FUNCTIONS)
@pytest.mark.parametrize('size', [SIZES[0], SIZES[9], SIZES[12]])
def test_without_bias(function, reference, size):
    compare(function, reference, draw(*size[:6], np.float32, False), 1e-4, pad=size[6])


@pytest.mark.parametrize('function, _', FUNCTIONS)
def test_kernels_can_be_switched_off(function, _):
    """And are on otherwise, or these tests compare Chainer with itself."""
    inputs = draw(2, 16, 16, 8, 8, 3, np.float32, True)
    on = function(*inputs, pad=1)
    with chainer.using_config('cpu_kernels', False):
        off = function(*inputs, pad=1)
    assert type(on.creator) is not type(off.creator)
    assert_close(on, off, 1e-4)


@pytest.mark.parametrize('function, reference', FUNCTIONS)
@pytest.mark.parametrize('size', SIZES[:4] + SIZES[-6:])
def test_float64(function, reference, size):
    compare(function, reference, draw(*size[:6], np.float64, True), 1e-12, pad=size[6])


@pytest.mark.parametrize('stride, pad', [(2, 1), ((1, 2), (0, 1))])
def test_stride(stride, pad):
    compare(convolution_2d, plain, draw(2, 8, 16, 7, 9, 3, np.float32, True), 1e-4, stride=stride, pad=pad)


@pytest.mark.parametrize('function, reference', FUNCTIONS)
def test_pad_as_pair(function, reference):
    inputs = draw(2, 4, 6, 6, 8, 3, np.float32, True)
    compare(function, reference, inputs, 1e-4, pad=(1, 1))
    compare(function, reference, inputs, 1e-4, pad=(1, 0))


@pytest.mark.parametrize('function, reference', FUNCTIONS)
def test_strided_inputs(function, reference):
    """Views whose memory is in another order, as a channels-last batch's is."""
    x, W, b = draw(2, 16, 16, 6, 8, 3, np.float32, True)
    x = chainer.Variable(np.ascontiguousarray(x.array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2))
    W = chainer.Variable(np.ascontiguousarray(W.array[::-1])[::-1])
    compare(function, reference, [x, W, b], 1e-4, pad=1)


@pytest.mark.parametrize('function, reference', FUNCTIONS)
def test_without_backprop(function, reference):
    inputs = draw(1, 16, 16, 8, 8, 3, np.float32, True)
    with chainer.no_backprop_mode():
        assert_close(function(*inputs, pad=1), reference(*inputs, pad=1), 1e-4)


@pytest.mark.parametrize('wanted', [(0,), (1,), (2,), (0, 2)])
@pytest.mark.parametrize('function, reference', FUNCTIONS)
def test_gradients_of_some_inputs(function, reference, wanted):
    inputs = draw(2, 16, 16, 8, 8, 3, np.float32, True)
    given = [x if i in wanted else x.array for i, x in enumerate(inputs)]
    grads = [chainer.grad([F.sum(f(*given, pad=1) ** 2)], [inputs[i] for i in wanted]) for f in (function, reference)]
    for actual, expected in zip(*grads, strict=True):
        assert_close(actual, expected, 1e-4)


ACTIVATIONS = {'relu': (F.relu, F.relu), 'leaky_relu': (LeakyReLU(.1), lambda x: F.leaky_relu(x, .1)),
               'elu': (F.elu, F.elu)}


@pytest.mark.parametrize('name', ACTIVATIONS)
@pytest.mark.parametrize('function, reference', FUNCTIONS)
@pytest.mark.parametrize('size', [SIZES[i] for i in (0, 4, 5, 9, 10, 14)])
def test_activation(name, function, reference, size):
    activation, activation_reference = ACTIVATIONS[name]
    compare(lambda x, *args, **kwargs: function(x, *args, activation=activation, **kwargs),
            lambda x, *args, **kwargs: reference(activation_reference(x), *args, **kwargs),
            draw(*size[:6], np.float32, True), 1e-4, pad=size[6])


@pytest.mark.parametrize('size, stride, pad', [
    ((2, 5, 3, 5, 7, 4), 2, 1), ((1, 16, 32, 4, 4, 4), 2, 1), ((2, 3, 4, 5, 6, 3), 1, 1), ((1, 1, 1, 1, 1, 4), 2, 1)])
@pytest.mark.parametrize('activation', [None, F.relu])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-4), (np.float64, 1e-12)])
def test_deconvolution(size, stride, pad, activation, dtype, rtol):
    x, W, b = draw(*size, dtype, True)
    W = chainer.Variable(W.array.transpose(1, 0, 2, 3).copy())

    def reference(x, W, b, stride, pad):
        return F.deconvolution_2d(x if activation is None else activation(x), W, b, stride, pad)
    compare(lambda x, W, b, stride, pad: deconvolution_2d(x, W, b, stride, pad, activation=activation), reference,
            [x, W, b], rtol, stride=stride, pad=pad)


def test_deconvolution_outsize():
    x, W, b = draw(2, 5, 3, 5, 7, 4, np.float32, True)
    W = chainer.Variable(W.array.transpose(1, 0, 2, 3).copy())
    compare(deconvolution_2d, F.deconvolution_2d, [x, W, b], 1e-4, stride=2, pad=1, outsize=(11, 15))


@pytest.mark.parametrize('function', [convolution_2d, upsample_convolution_2d, convolution_2d_downsample])
@pytest.mark.parametrize('k, pad', [(3, 1), (1, 0), (4, 1)])
@pytest.mark.parametrize('W_in, b_size', [(2, 8), (6, 8), (4, 7)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_refuses_shapes_that_do_not_fit(function, k, pad, W_in, b_size, dtype):
    x, W, b = np.ones((2, 4, 6, 6), dtype), np.ones((8, W_in, k, k), dtype), np.ones(b_size, dtype)
    kwargs = {'stride': 2} if k == 4 and function is convolution_2d else {}
    with pytest.raises((ValueError, type_check.InvalidType)):
        function(x, W, b, pad=pad, **kwargs)


@pytest.mark.parametrize('W_in, b_size', [(2, 8), (6, 8), (4, 7)])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_deconvolution_refuses_shapes_that_do_not_fit(W_in, b_size, dtype):
    with pytest.raises((ValueError, type_check.InvalidType)):
        deconvolution_2d(np.ones((2, 4, 6, 6), dtype), np.ones((W_in, 8, 4, 4), dtype), np.ones(b_size, dtype), 2, 1)


def test_leaves_inputs_alone():
    for function, _ in FUNCTIONS:
        inputs = draw(2, 16, 16, 8, 8, 3, np.float32, True)
        before = [x.array.copy() for x in inputs]
        F.sum(function(*inputs, pad=1, activation=F.relu) ** 2).backward()
        for x, expected in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(x.array, expected)
