"""Inception as a GPU runs it against the readable network: small on the host, with stand-ins; whole on a GPU."""
from source.inception import resize
from source.inception.architecture import LAYERS
from source.inception.gpu_inference import GpuInference
from source.inception.inception_score import fast_inference
from tests.inception.random_weights import inception, random_arrays

import chainer
import chainer.functions as F
import numpy as np
import pytest

SIZES = {'tf': 75, 'chainer': 107}  # the smallest images of which a pixel is left at the end, and 2×2


@pytest.mark.parametrize('mode', ['tf', 'chainer'])
def test_on_host(host, cudnn, mode):
    model = inception(mode, random_arrays(with_biases=True))
    ims = np.random.RandomState(0).randint(0, 256, (1, 3, 20, 30)).astype(np.uint8)
    fast = GpuInference(model)
    fast._size = SIZES[mode]
    feats, probs = fast(host.array(ims))
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        x = getattr(resize, model.mode.resize)(ims, SIZES[mode])
        x = chainer.Variable((x - 128.) * np.float32(.0078125))
        expected = F.mean(model._run(model, LAYERS, x), (2, 3)).array
        expected_probs = model.probabilities(chainer.Variable(expected)).array
    assert feats.shape == (1, 2048) and feats.dtype == np.float32 and np.abs(expected).max() > .1
    np.testing.assert_allclose(feats, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(probs, expected_probs, rtol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize('mode', ['tf', 'chainer'])
@pytest.mark.parametrize('precision, relative', [('float32', 1e-4), ('tf32', 1e-2)])
def test_on_gpu(mode, precision, relative):
    import cupy
    ims = np.random.RandomState(0).randint(0, 256, (5, 3, 32, 32)).astype(np.uint8)
    model = inception(mode, random_arrays())
    expected, expected_probs = fast_inference(model)(ims)
    model.to_device('@cupy:0')
    with chainer.using_config('precision', precision):
        feats, probs = fast_inference(model)(cupy.asarray(ims))
    assert np.linalg.norm(feats.get() - expected) < relative * np.linalg.norm(expected)
    assert np.abs(probs.get() - expected_probs).max() < relative
