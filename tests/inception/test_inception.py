"""The network in both modes against what torch-fidelity computed once, and its parts against plain definitions."""
from pathlib import Path

from source.inception.architecture import AVERAGE, MAX, REDUCE
from source.inception.inception_score import Inception, fast_inference, inception_score
from source.metrics.inception_score import inception_score as score_of_probabilities
from tests.inception.photos import photos
from tests.inception.random_weights import inception, random_arrays

import chainer
import numpy as np
import pytest


@pytest.fixture(scope='module')
def golden():
    """Made by make_golden.py."""
    with np.load(Path(__file__).parent / 'golden.npz') as arrays:
        return dict(arrays)


def softmax(logits):
    exponentials = np.exp(logits.astype(np.float64))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('mode', ['tf', 'chainer'])
def test_golden(mode, arrays, golden):
    model = inception(mode, arrays)
    with chainer.no_backprop_mode():
        x = model.resize(golden['ims'])
        feats, probs = model(x, get_feature=True).array, model(x).array
    assert feats.shape == (2, 2048) and probs.shape == (2, 1008)
    expected = golden[f'{mode}_feats']
    assert np.linalg.norm(feats - expected) < 1e-5 * np.linalg.norm(expected)
    np.testing.assert_allclose(probs, softmax(golden[f'{mode}_logits']), rtol=1e-3)
    other = golden['chainer_feats' if mode == 'tf' else 'tf_feats']
    assert np.linalg.norm(other - expected) > 1e-2 * np.linalg.norm(expected)


def test_input_is_left_alone(arrays, golden):
    model = inception('tf', arrays)
    x = model.resize(golden['ims'][:1])
    before = x.copy()
    with chainer.no_backprop_mode():
        model(x)
    np.testing.assert_array_equal(x, before)


def test_training_mode_changes_nothing(arrays, golden):
    """Its batch normalization always uses the statistics that it came with."""
    model = inception('tf', arrays)
    x = model.resize(golden['ims'])
    with chainer.no_backprop_mode(), chainer.using_config('train', True):
        feats = model.features(x).array
    assert np.linalg.norm(feats - golden['tf_feats']) < 1e-5 * np.linalg.norm(feats)
    np.testing.assert_array_equal(model.bn_conv.avg_mean, arrays['bn_conv/avg_mean'])


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
def test_pools(pool, mode, reduce, size):
    x = np.random.RandomState(0).standard_normal((2, 3, *size)).astype(np.float32) - 2
    y = Inception(mode)._pool(pool, chainer.as_variable(x)).array
    np.testing.assert_allclose(y, plain_pool(x.astype(np.float64), pool.stride, pool.pad, reduce), rtol=1e-5)


@pytest.mark.parametrize('mode, eps', [('tf', 1e-3), ('chainer', 2e-5)])
def test_eps(mode, eps):
    links = [link for link in Inception(mode).links() if isinstance(link, chainer.links.BatchNormalization)]
    assert len(links) == 94 and {link.eps for link in links} == {eps}


@pytest.mark.parametrize('cpu_kernels', [True, False])
@pytest.mark.parametrize('mode', ['tf', 'chainer'])
def test_score(mode, cpu_kernels, arrays, golden):
    """The score is that of the probabilities the mode counts, whatever the batches and the type of the images."""
    model = inception(mode, arrays)
    ims = np.concatenate([golden['ims'], golden['ims'][:1, :, ::-1]])
    probs = softmax(golden[f'{mode}_logits'])
    with chainer.no_backprop_mode():
        last = model(model.resize(ims[2:])).array
    probs = np.concatenate([probs, last])
    if mode == 'chainer':
        probs = probs[:, 1:1001]
    with chainer.using_config('cpu_kernels', cpu_kernels):
        assert inception_score(model, ims, batch_size=2, splits=1) == (
            pytest.approx(score_of_probabilities(probs, 1)[0], rel=1e-4), None)
        assert inception_score(model, ims.astype(np.float32), splits=3) == pytest.approx(
            score_of_probabilities(probs, 3), rel=1e-4)


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected one of tf, chainer, got 'torch'"):
        Inception('torch')
    with pytest.raises(ValueError, match=r'expected \(B, 3, 299, 299\), got \(1, 3, 32, 32\)'):
        Inception()(np.zeros((1, 3, 32, 32), np.float32))


@pytest.mark.parametrize('mode', ['tf', 'chainer'])
@pytest.mark.parametrize('size', [(32, 32), (61, 47), (299, 299), (1, 1)])
def test_the_fast_twin(mode, size, arrays):
    """On a CPU the folded network on its own kernels says the same, here with convolutions that have a bias."""
    model = inception(mode, random_arrays(with_biases=True))
    ims = photos(*size)
    feats, probs = fast_inference(model)(ims)
    with chainer.no_backprop_mode():
        expected = model.features(model.resize(ims)).array
        expected_probs = model.probabilities(expected).array
    assert feats.shape == (2, 2048) and probs.shape == (2, 1008)
    assert np.linalg.norm(feats - expected) < 2e-6 * np.linalg.norm(expected)
    np.testing.assert_allclose(probs, expected_probs, rtol=1e-4)


def test_the_fast_twin_keeps_its_bits(arrays):
    """Whatever the batch, and whatever was computed before."""
    fast = fast_inference(inception('tf', arrays))
    ims = np.concatenate([photos(32, 32)[:, :, ::-1 if i % 2 else 1, ::-1 if i > 4 else 1] for i in range(6)])
    feats, probs = fast(ims)
    fast(photos(61, 47))
    for part in (slice(0, 1), slice(7, 12), slice(0, 9)):
        part_feats, part_probs = fast(ims[part])
        np.testing.assert_array_equal(part_feats, feats[part])
        np.testing.assert_array_equal(part_probs, probs[part])


def test_the_fast_twins_memory_does_not_grow(arrays):
    fast = fast_inference(inception('tf', arrays))
    held = []
    for n in (8, 20):
        fast(np.zeros((n, 3, 4, 4), np.uint8))
        held.append(sum(array.nbytes for array in fast._memory.values()))
    assert held[0] == held[1] < 100e6
