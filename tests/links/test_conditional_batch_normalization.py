"""Conditional batch normalization, by labels and by given scales, against NumPy."""
from source.links.categorical_conditional_batch_normalization import CategoricalConditionalBatchNormalization
from source.links.conditional_batch_normalization import ConditionalBatchNormalization

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import gradient_check, serializers
from chainer.utils import type_check

SHAPES = [(4, 3, 5, 2), (6, 3), (2, 3, 7), (1, 3, 2, 2)]
N_CAT = 5


def make(dtype=np.float32, **kwargs):
    with chainer.using_config('dtype', np.dtype(dtype)):
        link = CategoricalConditionalBatchNormalization(3, N_CAT, dtype=dtype, **kwargs)
    rng = np.random.RandomState(0)
    for embedding in (link.gammas, link.betas):
        embedding.W.array[...] = rng.normal(size=(N_CAT, 3))
    link.avg_mean[...], link.avg_var[...] = rng.normal(size=3), rng.uniform(.5, 2, 3)
    return link


def draw(shape, dtype=np.float32, seed=1):
    rng = np.random.RandomState(seed)
    return rng.normal(3, 2, shape).astype(dtype), rng.randint(N_CAT, size=shape[0]).astype(np.int32)


def per_channel(a, x):
    return a.reshape(*a.shape, *(1,) * (x.ndim - a.ndim)) if a.ndim == 2 else a.reshape(1, -1, *(1,) * (x.ndim - 2))


def expected(x, gamma, beta, mean, var, eps=2e-5):
    x = x.astype(np.float64)
    gamma, beta, mean, var = (per_channel(a, x) for a in (gamma, beta, mean, var))
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def statistics(x):
    """Mean, variance and the variance of an unbiased estimate."""
    axes = (0, *range(2, x.ndim))
    x = x.astype(np.float64)
    m = x.size // x.shape[1]
    return x.mean(axes), x.var(axes), x.var(axes) * m / max(m - 1, 1)


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-4), (np.float64, 1e-10)])
@pytest.mark.parametrize('eps, decay', [(2e-5, .9), (.1, .5)])
def test_training_mode(shape, dtype, rtol, eps, decay):
    """Batch statistics normalize; the averages move by 1 - decay, that of the variance towards the unbiased one."""
    link = make(dtype, **({} if decay == .9 else {'eps': eps, 'decay': decay}))
    avg_mean, avg_var = link.avg_mean.copy(), link.avg_var.copy()
    for seed in (1, 2):
        x, c = draw(shape, dtype, seed)
        y = link(x, c)
        mean, var, unbiased = statistics(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y.array, expected(x, link.gammas.W.array[c], link.betas.W.array[c], mean, var, eps),
                                   rtol=rtol, atol=rtol)
        avg_mean = decay * avg_mean + (1 - decay) * mean
        avg_var = decay * avg_var + (1 - decay) * unbiased
        np.testing.assert_allclose(link.avg_mean, avg_mean, rtol=rtol)
        np.testing.assert_allclose(link.avg_var, avg_var, rtol=rtol)
    assert link.N == 0


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-4), (np.float64, 1e-10)])
def test_test_mode(shape, dtype, rtol):
    link = make(dtype)
    x, c = draw(shape, dtype)
    avg_mean, avg_var = link.avg_mean.copy(), link.avg_var.copy()
    with chainer.using_config('train', False):
        y = link(x, c)
    np.testing.assert_allclose(y.array, expected(x, link.gammas.W.array[c], link.betas.W.array[c], avg_mean, avg_var),
                               rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(link.avg_mean, avg_mean)
    np.testing.assert_array_equal(link.avg_var, avg_var)


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('shape', SHAPES)
def test_blended_labels(shape, train):
    link = make()
    x, c = draw(shape)
    rng = np.random.RandomState(3)
    c2 = rng.randint(N_CAT, size=(len(x), 2)).astype(np.int32)
    w2 = rng.uniform(size=(len(x), 2)).astype('f')
    gamma, beta = ((w2[:, :1] * W[c2[:, 0]] + w2[:, 1:] * W[c2[:, 1]])
                   for W in (link.gammas.W.array, link.betas.W.array))
    mean, var = statistics(x)[:2] if train else (link.avg_mean.copy(), link.avg_var.copy())
    with chainer.using_config('train', train):
        y = link(x, c2, weights=w2)
        np.testing.assert_allclose(y.array, expected(x, gamma, beta, mean, var), rtol=1e-4, atol=1e-4)
        first = link(x, c2, weights=np.tile(np.array([1, 0], 'f'), (len(x), 1)))
        second = link(x, c2, weights=np.tile([0, 1], (len(x), 1)))
        np.testing.assert_allclose(first.array, link(x, c2[:, 0]).array, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(second.array, link(x, c2[:, 1]).array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('shape', SHAPES)
def test_finetune(shape):
    """The averages equal the plain mean over all batches, whatever they were; starting again forgets."""
    link = make()
    for seeds in ((1, 2, 3), (4, 5)):
        means, unbiaseds = [], []
        for seed in seeds:
            x, c = draw(shape, seed=seed)
            mean, var, unbiased = statistics(x)
            y = link(x, c, finetune=True)
            np.testing.assert_allclose(
                y.array, expected(x, link.gammas.W.array[c], link.betas.W.array[c], mean, var), rtol=1e-4, atol=1e-4)
            means.append(mean)
            unbiaseds.append(unbiased)
            np.testing.assert_allclose(link.avg_mean, np.mean(means, 0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(link.avg_var, np.mean(unbiaseds, 0), rtol=1e-4, atol=1e-5)
            assert link.N == len(means)
        link.start_finetuning()
        assert link.N == 0


@pytest.mark.parametrize('shape', SHAPES[:2])
@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('blend', [True, False])
def test_gradients(shape, train, blend):
    link = make(np.float64)
    x, c = draw(shape, np.float64)
    options = {}
    if blend:
        c = np.stack([c, c[::-1]], 1)
        options = {'weights': np.random.RandomState(3).uniform(size=c.shape)}
    gy = np.random.RandomState(2).normal(size=shape)
    with chainer.using_config('train', train):
        gradient_check.check_backward(lambda x: link(x, c, **options), x, gy, list(link.params()), dtype='d',
                                      rtol=1e-5, atol=1e-6)
        gradient_check.check_double_backward(lambda x: link(x, c, **options) ** 2, x, gy, gy, dtype='d', rtol=1e-4,
                                             atol=1e-5)


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('activation', [None, F.relu, F.elu])
def test_float32_gradients(train, activation):
    """Those of the fused kernels, if there are any, are those of the plain functions in float64."""
    results = []
    for dtype in (np.float32, np.float64):
        link = make(dtype)
        x, c = draw((5, 3, 6, 4), np.float64)
        x = chainer.Variable(x.astype(dtype))
        link.cleargrads()
        with chainer.using_config('train', train):
            y = link(x, c, activation=activation)
            F.sum(y * np.random.RandomState(2).normal(size=y.shape).astype(dtype)).backward()
        results.append((y.array, x.grad, link.gammas.W.grad, link.betas.W.grad))
    for actual, reference in zip(*results, strict=True):
        np.testing.assert_allclose(actual, reference, rtol=1e-4, atol=1e-4)


def test_given_scales():
    link = ConditionalBatchNormalization(3, N_CAT)
    x, _ = draw(SHAPES[0])
    rng = np.random.RandomState(3)
    gamma, beta = rng.normal(size=(2, 4, 3)).astype('f')
    y = link(x, gamma, beta)
    np.testing.assert_allclose(y.array, expected(x, gamma, beta, *statistics(x)[:2]), rtol=1e-4, atol=1e-4)
    assert not list(link.params())


@pytest.mark.parametrize('shape', SHAPES[:2])
@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('scale_shape', [(3, 3), (5, 3), (1, 3), (8, 2), (8, 4)])
def test_refuses_scales_that_do_not_fit(shape, train, scale_shape):
    link, x = make(), np.ones((8, *shape[1:]), 'f')
    scale = np.ones(scale_shape, 'f')
    with chainer.using_config('train', train), pytest.raises((ValueError, type_check.InvalidType)):
        ConditionalBatchNormalization.forward(link, x, scale, scale)


def test_two_labels_need_weights():
    with pytest.raises((TypeError, ValueError), match='weights'):
        make()(np.ones((2, 3, 2, 2), 'f'), np.zeros((2, 2), np.int32))


def test_initial_values_and_names():
    link = CategoricalConditionalBatchNormalization(3, N_CAT)
    serializer = serializers.DictionarySerializer()
    serializer.save(link)
    initial = {'gammas/W': np.ones((N_CAT, 3)), 'betas/W': np.zeros((N_CAT, 3)), 'avg_mean': np.zeros(3),
               'avg_var': np.zeros(3), 'N': 0}
    assert set(serializer.target) == set(initial)
    for name, array in initial.items():
        np.testing.assert_array_equal(serializer.target[name], array)
    link = CategoricalConditionalBatchNormalization(3, N_CAT, initial_gamma=2., initial_beta=-1.)
    np.testing.assert_array_equal(link.gammas.W.array, np.full((N_CAT, 3), 2))
    np.testing.assert_array_equal(link.betas.W.array, np.full((N_CAT, 3), -1))


@pytest.mark.parametrize('extension', ['npz', 'h5'])
def test_files(extension, tmp_path):
    link, other = make(), CategoricalConditionalBatchNormalization(3, N_CAT)
    x, c = draw(SHAPES[0])
    link(x, c, finetune=True)
    save, load = {
        'npz': (serializers.save_npz, serializers.load_npz),
        'h5': (serializers.save_hdf5, serializers.load_hdf5),
    }[extension]
    save(tmp_path / f'link.{extension}', link)
    load(tmp_path / f'link.{extension}', other)
    assert other.N == 1
    with chainer.using_config('train', False):
        np.testing.assert_array_equal(other(x, c).array, link(x, c).array)
