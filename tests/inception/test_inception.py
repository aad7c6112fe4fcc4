"""The network in both modes against what torch-fidelity computed once, and on a CPU its fast twin."""
from unittest import mock

from source.inception.architecture import REDUCE
from source.inception.inception_score import Inception, fast_inference, inception_score
from source.inception.resize import resize_align_corners, resize_tf
from source.metrics.inception_score import inception_score as score_of_probabilities
from tests.inception.photos import photos
from tests.inception.random_weights import inception, random_arrays

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('mode', ['tf', 'chainer'])
def test_golden(mode, models, golden):
    """Training mode changes nothing: batch normalization always uses the statistics that it came with."""
    model = models[mode]
    with chainer.no_backprop_mode(), chainer.using_config('train', True):
        feats = model(model.resize(golden['ims']), get_feature=True).array
        probs = model.probabilities(feats).array
    np.testing.assert_array_equal(model.bn_conv.avg_mean, random_arrays()['bn_conv/avg_mean'])
    assert feats.shape == (2, 2048) and probs.shape == (2, 1008)
    expected = golden[f'{mode}_feats']
    assert np.linalg.norm(feats - expected) < 1e-5 * np.linalg.norm(expected)
    np.testing.assert_allclose(probs, golden[f'{mode}_probs'], rtol=1e-3)


@pytest.mark.parametrize('function, step', [
    (resize_tf, lambda extent: extent / 299), (resize_align_corners, lambda extent: (extent - 1) / 298)])
@pytest.mark.parametrize('shape', [(61, 350), (299, 300), (1, 32)])
def test_resize(function, step, shape):
    """Along each axis between the two pixels around a place, and not past the last."""
    expected = photos(*shape)
    for axis, extent in zip((2, 3), shape):
        places = np.arange(299) * step(extent), np.arange(extent)
        expected = np.apply_along_axis(lambda pixels, places=places: np.interp(*places, pixels), axis, expected)
    np.testing.assert_allclose(function(photos(*shape), 299), expected, rtol=0, atol=.01)


def test_a_window_beyond_the_border_is_left_out(models):
    assert models['tf']._pool(REDUCE, np.zeros((1, 1, 8, 8), 'f')).shape == (1, 1, 3, 3)


@pytest.mark.parametrize('mode, cpu_kernels', [
    ('tf', True), ('chainer', False), pytest.param('tf', False, marks=pytest.mark.long),
    pytest.param('chainer', True, marks=pytest.mark.long)])
def test_score(mode, cpu_kernels, models, golden):
    """The score is that of the probabilities the mode counts, whatever the batches and the type of the images."""
    probs = golden[f'{mode}_probs'][:, slice(1, 1001) if mode == 'chainer' else slice(None)]
    with chainer.using_config('cpu_kernels', cpu_kernels):
        assert inception_score(models[mode], golden['ims'], batch_size=1, splits=1) == (
            pytest.approx(score_of_probabilities(probs, 1)[0], rel=1e-4), None)
        assert inception_score(models[mode], golden['ims'].astype(np.float32), splits=2) == pytest.approx(
            score_of_probabilities(probs, 2), rel=1e-4)


def test_arrays_are_made_on_the_models_device(monkeypatch):
    """With several GPUs the current one may be another."""
    device = mock.MagicMock()

    def on_the_device(x):
        assert device.__enter__.called and not device.__exit__.called
        return chainer.as_variable(np.full((len(x), 4), .25, 'f4'))
    model = mock.Mock(resize=lambda ims: ims, side_effect=on_the_device)
    model.xp.asarray, model.mode.classes = on_the_device, slice(None)
    monkeypatch.setattr(chainer, 'using_device', {model.device: device}.get)
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
