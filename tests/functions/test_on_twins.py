"""Gradients, and the gradients of those, of every function of the GPU's road, in float64 on the kernels' twins."""
from source.functions import activation as activation_module
from source.functions.activation import LeakyReLU, activate, tanh
from source.functions.batch_normalization import batch_normalize, fixed_batch_normalize
from source.functions.convolution_2d import (
    convolution_2d,
    convolution_2d_downsample,
    deconvolution_2d,
    upsample_convolution_2d,
)
from source.functions.embedding import concat_maps, embed, project
from source.functions.linear import linear
from source.functions.losses import LOSSES
from source.functions.pooling import pool_pixels
from source.functions.resample import downsample, upsample
from source.functions.residual import branch, join
from source.functions.spectral_normalization import JointSpectralNormalization
from source.kernels.power_iteration import power_iteration
from source.kernels.switch import REFERENCE

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.gradient_check import check_backward, check_double_backward

IMAGE, LABELS = (3, 4, 6, 2), np.array([2, 0, 2], np.int32)
MEAN, VAR = np.array([.3, -.2, .1, 0]), np.array([.5, 1.5, 1, 2])


def normalized(x, gamma, beta, labels=None):
    return batch_normalize(x, gamma, beta, np.zeros(4), np.ones(4), relu=labels is None, labels=labels)


def jointly_normalized(*Ws):
    """With singular vectors that have settled: only then does the gradient leave out nothing."""
    us = [power_iteration(W.array.reshape(len(W), -1), np.ones((1, len(W))), 500)[0] for W in Ws]
    kernel = REFERENCE.offering('spectral_normalization.power_iterations')
    return JointSpectralNormalization(kernel, us, [1., 2.], 1).apply(Ws)


CASES = {  # name: (function, shapes of its inputs, module of the node that must have made the first output)
    'linear': (linear, [(3, 5), (2, 5), (2,)], 'linear'),
    'linear without b': (linear, [(3, 5, 1, 1), (2, 5)], 'linear'),
    'embed': (lambda W: embed(LABELS, W), [(4, 5)], 'embedding'),
    'project': (lambda h, W: project(h, LABELS, W), [(3, 5), (4, 5)], 'embedding'),
    'concat': (concat_maps, [IMAGE, (3, 2)], 'embedding'),
    'sum': (lambda x: pool_pixels(F.sum, F.relu, x), [IMAGE], 'pooling'),
    'mean': (lambda x: pool_pixels(F.mean, LeakyReLU(.2), x), [IMAGE], 'pooling'),
    'relu': (lambda x: activate(F.relu, x), [IMAGE], 'activation'),
    'leaky': (lambda x: activate(LeakyReLU(.2), x), [IMAGE], 'activation'),
    'tanh': (tanh, [IMAGE], 'activation'),
    'branch': (lambda x: branch(x)[0], [IMAGE], 'residual'),
    'rectified branch': (lambda x: branch(x, F.relu), [IMAGE], 'residual'),
    'one end of a rectified branch': (lambda x: branch(x, F.relu)[0], [IMAGE], 'residual'),
    'its other end': (lambda x: branch(x, F.relu)[1], [IMAGE], 'residual'),
    'join': (join, [IMAGE, IMAGE], 'residual'),
    'downsample': (downsample, [(2, 4, 5, 3)], 'resample'),
    'upsample': (upsample, [IMAGE], 'resample'),
    'normalized': (normalized, [IMAGE, (4,), (4,)], 'batch_normalization'),
    'normalized by sample': (normalized, [IMAGE, (3, 4), (3, 4)], 'batch_normalization'),
    'normalized by label': (lambda *v: normalized(*v, LABELS), [IMAGE, (5, 4), (5, 4)], 'batch_normalization'),
    'fixed': (lambda *v: fixed_batch_normalize(*v, MEAN, VAR), [IMAGE, (4,), (4,)], 'batch_normalization'),
    'fixed by label': (lambda *v: fixed_batch_normalize(*v, MEAN, VAR, labels=LABELS), [IMAGE, (5, 4), (5, 4)],
                       'batch_normalization'),
    'jointly': (jointly_normalized, [(3, 4), (2, 3, 2, 2)], 'spectral_normalization'),
    '1×1': (convolution_2d, [IMAGE, (2, 4, 1, 1), (2,)], 'convolution_kernels'),
    '3×3': (lambda *v: convolution_2d(*v, pad=1, activation=F.relu), [IMAGE, (2, 4, 3, 3), (2,)],
            'convolution_kernels'),
    '3×3 to ReLU': (lambda *v: convolution_2d(*v, pad=1, next_activation=F.relu), [IMAGE, (2, 4, 3, 3), (2,)],
                    'convolution_kernels'),
    '4×4': (lambda *v: convolution_2d(*v, stride=2, pad=1), [IMAGE, (2, 4, 4, 4), (2,)], 'convolution_kernels'),
    'deconvolution': (lambda *v: deconvolution_2d(*v, stride=2, pad=1), [IMAGE, (4, 2, 4, 4), (2,)],
                      'convolution_kernels'),
    'upsampled': (lambda *v: upsample_convolution_2d(*v, pad=1), [IMAGE, (2, 4, 3, 3), (2,)], 'convolution_kernels'),
    'downsampled': (lambda *v: convolution_2d_downsample(*v, pad=1), [IMAGE, (2, 4, 3, 3), (2,)],
                    'convolution_kernels'),
    **{f'{kind} of dis': (LOSSES[kind][0], [(3, 1), (4, 1)], 'losses') for kind in LOSSES},
    **{f'{kind} of gen': (LOSSES[kind][1], [(3, 1)], 'losses') for kind in LOSSES},
}


def draw(shapes):
    """Away from 0, where ReLU and the hinge loss of ±1 have kinks."""
    rng = np.random.RandomState(0)
    return [rng.choice([-1, 1], shape) * rng.uniform(.1, .9, shape) for shape in shapes]


@pytest.fixture(autouse=True)
def _on_the_twins():
    with chainer.using_config('kernel_set', 'reference'):
        yield


@pytest.mark.parametrize('name', CASES)
def test_gradients_and_those_of_gradients(name):
    """But for spectral normalization's, which take u and v for constants, which a finite difference does not."""
    function, shapes, module = CASES[name]
    inputs = draw(shapes)
    outputs = function(*map(chainer.Variable, inputs))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert type(outputs[0].creator).__module__ == f'source.functions.{module}'
    rng = np.random.RandomState(1)
    gradients, further = ([rng.normal(size=shape) for shape in kind] for kind in ([y.shape for y in outputs], shapes))
    check_backward(function, inputs, gradients, dtype=np.float64, atol=1e-6, rtol=1e-6)
    if name != 'jointly':
        check_double_backward(lambda *v: _squared(function(*v)), inputs, gradients, further, dtype=np.float64,
                              atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('labels', [None, LABELS])
def test_a_bias_before_batch_normalization_moves_its_mean_alone(labels):
    """The result and the other gradients are those with the bias added first, whose own gradient is 0."""
    shape = (4,) if labels is None else (5, 4)
    results = []
    for kernel_set in ('reference', 'chainer'):
        x, gamma, beta, bias = map(chainer.Variable, draw([IMAGE, shape, shape, (4,)]))
        mean, var = np.full(4, .5), np.ones(4)
        with chainer.using_config('kernel_set', kernel_set):
            y = batch_normalize(x, gamma, beta, mean, var, labels=labels, bias=bias)
        F.sum(y ** 3).backward()
        results.append((y.array, mean, var, x.grad, gamma.grad, beta.grad))
        if kernel_set == 'chainer':
            np.testing.assert_allclose(bias.grad, 0, atol=1e-12)
        else:
            assert bias.grad is None
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize('function', [convolution_2d, upsample_convolution_2d, convolution_2d_downsample])
def test_the_activation_before_a_convolution_is_computed_once(monkeypatch, function):
    """And kept for the gradients, which read nothing through a slope of their own."""
    import source.kernels.reference.elementwise as elementwise
    activate_array, seen = elementwise.activate, []

    def counted(x, slope):
        seen.append(slope)
        return activate_array(x, slope)
    for module in (elementwise, REFERENCE.offering('convolution.convolution_3x3')):
        monkeypatch.setattr(module, 'activate', counted)
    x, W, b = map(chainer.Variable, draw([IMAGE, (2, 4, 3, 3), (2,)]))
    F.sum(function(x, W, b, pad=1, activation=LeakyReLU(.2)) ** 2).backward()
    assert seen == [.2]
    with chainer.using_config('kernel_set', 'chainer'):
        again = [chainer.Variable(v.array) for v in (x, W, b)]
        F.sum(function(*again, pad=1, activation=LeakyReLU(.2)) ** 2).backward()
    for one, other in zip((x, W, b), again, strict=True):
        np.testing.assert_allclose(one.grad, other.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize('activation, n_passes', [(F.relu, [0, 1]), (LeakyReLU(.2), [1, 1])])
def test_relu_joins_a_branch(monkeypatch, activation, n_passes):
    """The first end comes out of ReLU and is not sent through it again; the second end is x itself."""
    x, W = map(chainer.Variable, draw([IMAGE, (3, 4, 1, 1)]))
    rectify, seen = activation_module.rectify, []
    monkeypatch.setattr('source.functions.convolution_kernels.rectify', lambda *args: seen.append(1) or rectify(*args))
    results = []
    for kernel_set in ('reference', 'chainer'):
        with chainer.using_config('kernel_set', kernel_set):
            ends = branch(x, activation)
            ys, counts = [], []
            for end in ends:
                seen.clear()
                ys.append(convolution_2d(end, W, activation=activation).array)
                counts.append(len(seen))
        results.append(ys)
        if kernel_set == 'reference':
            assert counts == n_passes
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize('activation, n_passes', [(F.relu, 0), (LeakyReLU(.2), 1)])
def test_relu_between_two_convolutions_joins_the_first(monkeypatch, activation, n_passes):
    x, W, b, W2 = map(chainer.Variable, draw([IMAGE, (2, 4, 3, 3), (2,), (3, 2, 1, 1)]))

    def loss():
        h = convolution_2d(x, W, b, pad=1, next_activation=activation)
        return F.sum(convolution_2d(h, W2, activation=activation) ** 2)
    activate_array, seen = activation_module.rectify, []
    monkeypatch.setattr('source.functions.convolution_kernels.rectify',
                        lambda *args: seen.append(args) or activate_array(*args))
    results = []
    for kernel_set in ('reference', 'chainer'):
        for v in (x, W, b, W2):
            v.cleargrad()
        with chainer.using_config('kernel_set', kernel_set):
            loss().backward()
        results.append([v.grad for v in (x, W, b, W2)])
    assert len(seen) == n_passes
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def _squared(y):
    """So that the gradient depends on the inputs even where the function is linear."""
    return tuple(v * v for v in y) if isinstance(y, tuple) else y * y
