"""The network in both modes against what torch-fidelity computed once, and its parts against plain definitions."""
import contextlib
from unittest import mock

from source.inception.architecture import AVERAGE, MAX, REDUCE
from source.inception.inception_score import Inception, fast_inference, inception_score
from source.metrics.inception_score import inception_score as score_of_probabilities
from tests.inception.photos import photos
from tests.inception.random_weights import inception, random_arrays

import chainer
import numpy as np
import pytest


def softmax(logits):
    exponentials = np.exp(logits.astype(np.float64))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('mode', ['tf', 'chainer'])
def test_golden(mode, models, arrays, golden):
    """Training mode changes nothing: batch normalization always uses the statistics that it came with."""
    model = models[mode]
    x = model.resize(golden['ims'])
    before = x.copy()
    with chainer.no_backprop_mode(), chainer.using_config('train', True):
        feats = model(x, get_feature=True).array
        probs = model.probabilities(feats).array
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(model.bn_conv.avg_mean, arrays['bn_conv/avg_mean'])
    assert feats.shape == (2, 2048) and probs.shape == (2, 1008)
    expected = golden[f'{mode}_feats']
    assert np.linalg.norm(feats - expected) < 1e-5 * np.linalg.norm(expected)
    np.testing.assert_allclose(probs, softmax(golden[f'{mode}_logits']), rtol=1e-3)
    other = golden['chainer_feats' if mode == 'tf' else 'tf_feats']
    assert np.linalg.norm(other - expected) > 1e-2 * np.linalg.norm(expected)


def plain_pool(x, stride, pad, reduce):
    """Windows of 3×3, cut off at the border, one after the other."""
    b, c, h, w = x.shape
    height, width = (h + 2 * pad - 3) // stride + 1, (w + 2 * pad - 3) // stride + 1
    y = np.empty((b, c, height, width))
    for i in range(height):
        for j in range(width):
            top, left = i * stride - pad, j * stride - pad
            y[:, :, i, j] = reduce(x[:, :, max(top, 0):top + 3, max(left, 0):left + 3])
    return y


@pytest.mark.parametrize('pool, mode, reduce', [
    (AVERAGE, 'tf', lambda window: window.mean(axis=(2, 3))),
    (AVERAGE, 'chainer', lambda window: window.sum(axis=(2, 3)) / 9),
    (MAX, 'tf', lambda window: window.max(axis=(2, 3))),
    (REDUCE, 'chainer', lambda window: window.max(axis=(2, 3)))])
@pytest.mark.parametrize('size', [(8, 8), (7, 9), (3, 4)])
def test_pools(pool, mode, reduce, size, models):
    x = np.random.RandomState(0).standard_normal((2, 3, *size)).astype(np.float32) - 2
    y = models[mode]._pool(pool, chainer.as_variable(x)).array
    np.testing.assert_allclose(y, plain_pool(x.astype(np.float64), pool.stride, pool.pad, reduce), rtol=1e-5)


@pytest.mark.parametrize('mode, eps', [('tf', 1e-3), ('chainer', 2e-5)])
def test_eps(mode, eps, models):
    links = [link for link in models[mode].links() if isinstance(link, chainer.links.BatchNormalization)]
    assert len(links) == 94 and {link.eps for link in links} == {eps}


@pytest.mark.parametrize('mode, cpu_kernels', [
    ('tf', True), ('chainer', False), pytest.param('tf', False, marks=pytest.mark.long),
    pytest.param('chainer', True, marks=pytest.mark.long)])
def test_score(mode, cpu_kernels, models, golden):
    """The score is that of the probabilities the mode counts, whatever the batches and the type of the images."""
    probs = softmax(golden[f'{mode}_logits'])[:, slice(1, 1001) if mode == 'chainer' else slice(None)]
    with chainer.using_config('cpu_kernels', cpu_kernels):
        assert inception_score(models[mode], golden['ims'], batch_size=1, splits=1) == (
            pytest.approx(score_of_probabilities(probs, 1)[0], rel=1e-4), None)
        assert inception_score(models[mode], golden['ims'].astype(np.float32), splits=2) == pytest.approx(
            score_of_probabilities(probs, 2), rel=1e-4)


def test_arrays_are_made_on_the_models_device(monkeypatch):
    """With several GPUs the current one may be another."""
    current = [None]

    @contextlib.contextmanager
    def using_device(device):
        current.append(device)
        yield
        current.pop()

    def on_its_device(function):
        def call(ims):
            assert current[-1] == 'GPU 1'
            return function(ims)
        return call
    model = mock.Mock(device='GPU 1', resize=lambda ims: ims, side_effect=on_its_device(
        lambda x: chainer.Variable(np.full((len(x), 4), .25, 'f4'))))
    model.xp.asarray, model.mode.classes = on_its_device(np.asarray), slice(None)
    monkeypatch.setattr(chainer, 'using_device', using_device)
    assert inception_score(model, np.zeros((6, 3, 4, 4), np.uint8), batch_size=2, splits=2) == pytest.approx((1, 0))


def test_bad_arguments(models):
    with pytest.raises(ValueError, match="expected one of tf, chainer, got 'torch'"):
        Inception('torch')
    with pytest.raises(ValueError, match=r'expected \(B, 3, 299, 299\), got \(1, 3, 32, 32\)'):
        models['tf'](np.zeros((1, 3, 32, 32), np.float32))


@pytest.mark.parametrize('mode, sizes', [('tf', [(1, 1), (61, 47)]), ('chainer', [(32, 32), (299, 299)])])
def test_the_fast_twin(mode, sizes):
    """On a CPU the folded network on its own kernels says the same, here with convolutions that have a bias."""
    model = inception(mode, random_arrays(with_biases=True))
    fast = fast_inference(model)
    for ims in (photos(*size) for size in sizes):
        feats, probs = fast(ims)
        with chainer.no_backprop_mode():
            expected = model.features(model.resize(ims)).array
            expected_probs = model.probabilities(expected).array
        assert feats.shape == (2, 2048) and probs.shape == (2, 1008)
        assert np.linalg.norm(feats - expected) < 2e-6 * np.linalg.norm(expected)
        np.testing.assert_allclose(probs, expected_probs, rtol=1e-4)


def test_the_fast_twin_keeps_its_bits_and_its_memory(models):
    """Whatever the batch, and whatever was computed before; more than 8 images need no more memory than 8."""
    fast = fast_inference(models['tf'])
    ims = np.concatenate([photos(32, 32)[:, :, ::-1 if i % 2 else 1, ::-1 if i > 2 else 1] for i in range(5)])
    eight = fast(ims[:8])
    held = sum(array.nbytes for array in fast._memory.values())
    fast(photos(61, 47))
    for start in (0, 1):
        for found, expected in zip(fast(ims[start:]), eight):
            np.testing.assert_array_equal(found[:8 - start], expected[start:])
    assert sum(array.nbytes for array in fast._memory.values()) == held < 100e6
