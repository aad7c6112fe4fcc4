"""Gradients, and the gradients of those, of every function of the GPU's road, in float64 on the kernels' twins."""
from source.functions.activation import LeakyReLU, activate, rectify, tanh
from source.functions.batch_normalization import batch_normalize, fixed_batch_normalize
from source.functions.convolution_2d import convolution_2d, deconvolution_2d, upsample_convolution_2d
from source.functions.convolution_2d import convolution_2d_downsample as downsample_convolution_2d
from source.functions.embedding import concat_maps, embed, project
from source.functions.linear import linear
from source.functions.losses import LOSSES
from source.functions.pooling import pool_pixels
from source.functions.resample import downsample, upsample
from source.functions.residual import branch, join
from source.functions.spectral_normalization import JointSpectralNormalization
from source.kernels.power_iteration import power_iteration
from source.kernels.reference import elementwise
from source.kernels.switch import REFERENCE
from tests.gpu_road import on_the_gpus_road  # noqa: F401

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


BY_LABEL, WEIGHT = [IMAGE, (5, 4), (5, 4)], [IMAGE, (2, 4, 3, 3), (2,)]
CASES = {  # module of the node that must have made the first output: {name: (function, shapes of its inputs)}
    'linear': {'with b': (linear, [(3, 5), (2, 5), (2,)]), 'without b': (linear, [(3, 5, 1, 1), (2, 5)])},
    'embedding': {
        'embed': (lambda W: embed(LABELS, W), [(4, 5)]),
        'project': (lambda h, W: project(h, LABELS, W), [(3, 5), (4, 5)]), 'concat': (concat_maps, [IMAGE, (3, 2)])},
    'pooling': {'sum': (lambda x: pool_pixels(F.sum, F.relu, x), [IMAGE]),
                'mean': (lambda x: pool_pixels(F.mean, LeakyReLU(.2), x), [IMAGE])},
    'activation': {
        'relu': (lambda x: activate(F.relu, x), [IMAGE]), 'leaky': (lambda x: activate(LeakyReLU(.2), x), [IMAGE]),
        'tanh': (tanh, [IMAGE])},
    'residual': {
        'branch': (lambda x: branch(x)[0], [IMAGE]), 'rectified branch': (lambda x: branch(x, F.relu), [IMAGE]),
        'one end of it': (lambda x: branch(x, F.relu)[0], [IMAGE]),
        'its other end': (lambda x: branch(x, F.relu)[1], [IMAGE]), 'join': (join, [IMAGE, IMAGE])},
    'resample': {'downsample': (downsample, [(2, 4, 5, 3)]), 'upsample': (upsample, [IMAGE])},
    'batch_normalization': {
        'one': (normalized, [IMAGE, (4,), (4,)]), 'by sample': (normalized, [IMAGE, (3, 4), (3, 4)]),
        'by label': (lambda *v: normalized(*v, LABELS), BY_LABEL),
        'fixed': (lambda *v: fixed_batch_normalize(*v, MEAN, VAR), [IMAGE, (4,), (4,)]),
        'fixed by label': (lambda *v: fixed_batch_normalize(*v, MEAN, VAR, labels=LABELS), BY_LABEL)},
    'spectral_normalization': {'jointly': (jointly_normalized, [(3, 4), (2, 3, 2, 2)])},
    'convolution_kernels': {
        '1×1': (convolution_2d, [IMAGE, (2, 4, 1, 1), (2,)]),
        '3×3': (lambda *v: convolution_2d(*v, pad=1, activation=F.relu), WEIGHT),
        '3×3 of grey images': (lambda *v: convolution_2d(*v, pad=1), [(2, 1, 4, 6), (3, 1, 3, 3), (3,)]),
        '3×3 to grey images': (lambda *v: convolution_2d(*v, pad=1, activation=F.relu), [IMAGE, (1, 4, 3, 3), (1,)]),
        '3×3 to ReLU': (lambda *v: convolution_2d(*v, pad=1, next_activation=F.relu), WEIGHT),
        '4×4': (lambda *v: convolution_2d(*v, stride=2, pad=1), [IMAGE, (2, 4, 4, 4), (2,)]),
        'deconvolution': (lambda *v: deconvolution_2d(*v, stride=2, pad=1), [IMAGE, (4, 2, 4, 4), (2,)]),
        'upsampled': (lambda *v: upsample_convolution_2d(*v, pad=1), WEIGHT),
        'downsampled': (lambda *v: downsample_convolution_2d(*v, pad=1), WEIGHT)},
    'losses': {**{f'{kind} of dis': (LOSSES[kind][0], [(3, 1), (4, 1)]) for kind in LOSSES},
               **{f'{kind} of gen': (LOSSES[kind][1], [(3, 1)]) for kind in LOSSES}},
}


def draw(shapes):
    """Away from 0, where ReLU and the hinge loss of ±1 have kinks."""
    rng = np.random.RandomState(0)
    return [rng.choice([-1, 1], shape) * rng.uniform(.1, .9, shape) for shape in shapes]


@pytest.mark.parametrize('module, name', [(module, name) for module in CASES for name in CASES[module]])
def test_gradients_and_those_of_gradients(module, name):
    """But for spectral normalization's, which take u and v for constants, which a finite difference does not."""
    function, shapes = CASES[module][name]
    inputs = draw(shapes)
    outputs = function(*map(chainer.Variable, inputs))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert type(outputs[0].creator).__module__ == f'source.functions.{module}'
    rng = np.random.RandomState(1)
    gradients, further = ([rng.normal(size=shape) for shape in kind] for kind in ([y.shape for y in outputs], shapes))
    check_backward(function, inputs, gradients, dtype='d', atol=1e-6, rtol=1e-6)

    def squared(*variables):  # so that the gradient depends on the inputs even where the function is linear
        results = function(*variables)
        return tuple(y * y for y in results) if isinstance(results, tuple) else results * results
    if name != 'jointly':
        check_double_backward(squared, inputs, gradients, further, dtype='d', atol=1e-5, rtol=1e-5)


def assert_alike(function, rtol=1e-10, atol=1e-12):
    """The arrays that `function` gives are those that it gives of Chainer's own functions."""
    results = function()
    with chainer.using_config('kernel_set', 'chainer'):
        for one, other in zip(results, function(), strict=True):
            np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


@pytest.mark.parametrize('labels', [None, LABELS])
def test_a_bias_before_batch_normalization_moves_its_mean_alone(labels):
    """The result and the other gradients are those with the bias added first, whose own gradient is 0."""
    shape, of_bias = (4,) if labels is None else (5, 4), []

    def arrays():
        x, gamma, beta, bias = map(chainer.Variable, draw([IMAGE, shape, shape, (4,)]))
        mean, var = np.full(4, .5), np.ones(4)
        y = batch_normalize(x, gamma, beta, mean, var, labels=labels, bias=bias)
        F.sum(y ** 3).backward()
        of_bias.append(bias.grad)
        return y.array, mean, var, x.grad, gamma.grad, beta.grad
    assert_alike(arrays, 1e-9, 1e-11)
    assert of_bias[0] is None
    np.testing.assert_allclose(of_bias[1], 0, atol=1e-12)


@pytest.mark.parametrize('function', [convolution_2d, upsample_convolution_2d, downsample_convolution_2d])
def test_the_activation_before_a_convolution_is_computed_once(monkeypatch, function):
    """And kept for the gradients, which read nothing through a slope of their own."""
    activate_array, seen = elementwise.activate, []

    def counted(x, slope):
        seen.append(slope)
        return activate_array(x, slope)
    for module in (elementwise, REFERENCE.offering('convolution.convolution_3x3')):
        monkeypatch.setattr(module, 'activate', counted)

    def gradients():
        x, W, b = map(chainer.Variable, draw([IMAGE, (2, 4, 3, 3), (2,)]))
        F.sum(function(x, W, b, pad=1, activation=LeakyReLU(.2)) ** 2).backward()
        return x.grad, W.grad, b.grad
    assert_alike(gradients)
    assert seen == [.2]


@pytest.mark.parametrize('activation, passes_of_branch, passes_between', [(F.relu, 1, 0), (LeakyReLU(.2), 2, 1)])
def test_relu_joins_what_comes_before(monkeypatch, activation, passes_of_branch, passes_between):
    """The first end of a branch, and a convolution, come out of ReLU; the branch's second end is x itself."""
    seen = []
    monkeypatch.setattr('source.functions.convolution_kernels.rectify', lambda *args: seen.append(1) or rectify(*args))

    def of_branch():
        x, W = map(chainer.Variable, draw([IMAGE, (3, 4, 1, 1)]))
        return [convolution_2d(end, W, activation=activation).array for end in branch(x, activation)]

    def between():
        inputs = x, W, b, W2 = [chainer.Variable(v) for v in draw([IMAGE, (2, 4, 3, 3), (2,), (3, 2, 1, 1)])]
        h = convolution_2d(x, W, b, pad=1, next_activation=activation)
        F.sum(convolution_2d(h, W2, activation=activation) ** 2).backward()
        return [v.grad for v in inputs]
    for function, n_passes in ((of_branch, passes_of_branch), (between, passes_between)):
        seen.clear()
        assert_alike(function)
        assert len(seen) == n_passes
