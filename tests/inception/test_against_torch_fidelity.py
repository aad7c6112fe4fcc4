"""The network in both modes and the resize against torch-fidelity, an independent implementation, on real photos.

Skipped where it is missing. To run it, in an environment of its own (`make` never installs it):

    pip install -c constraints.txt torch && pip install -c constraints.txt --no-deps torch-fidelity
    python -m pytest tests/inception/test_against_torch_fidelity.py
"""
from source.inception import resize
from source.inception.inception_score import Inception, fast_inference
from source.inception.weights import load_weights
from tests.inception.photos import photos

import chainer
import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('PIL')
oracle = pytest.importorskip('tests.inception.torch_fidelity_network')

SIZES = [(32, 32), (48, 48), (128, 128), (299, 299), (61, 47), (75, 200), (1, 1), (300, 301)]


@pytest.fixture(scope='module')
def path(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp('torch') / 'random.pth'
    oracle.save_state_dict(arrays, path)
    return path


def difference(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def run(model, ims):
    with chainer.no_backprop_mode():
        feats = model.features(model.resize(ims)).array
        return feats, feats @ model.logit.W.array.T, model.probabilities(feats).array


@pytest.mark.parametrize('size', SIZES)
def test_tf(path, size):
    model, ims = Inception('tf'), photos(*size)
    load_weights(path, model)
    feats, logits, probs = run(model, ims)
    expected = oracle.outputs(oracle.network(path), ims)
    assert difference(feats, expected['2048']) < 1e-5
    assert difference(logits, expected['logits_unbiased']) < 1e-5
    np.testing.assert_allclose(probs, softmax(expected['logits_unbiased']), rtol=1e-3)
    fast_feats, fast_probs = fast_inference(model)(ims)
    assert difference(fast_feats, expected['2048']) < 1e-5
    np.testing.assert_allclose(fast_probs, softmax(expected['logits_unbiased']), rtol=1e-3)


@pytest.mark.parametrize('size', [(32, 32), (299, 299), (61, 47)])
def test_chainer(path, size, monkeypatch):
    model, ims = Inception('chainer'), photos(*size)
    load_weights(path, model)
    feats, _, probs = run(model, ims)
    network = oracle.network(path)
    oracle.make_like_the_authors_code(network, monkeypatch)
    expected = oracle.outputs(network, ims)
    assert difference(feats, expected['2048']) < 1e-5
    np.testing.assert_allclose(probs, softmax(expected['logits']), rtol=1e-3)


@pytest.mark.parametrize('size', SIZES)
def test_resize(size):
    """TensorFlow's values to 1e-5 of their range."""
    np.testing.assert_allclose(resize.resize_tf(photos(*size), 299), oracle.resize(photos(*size), 299),
                               rtol=0, atol=1e-5 * 255)


def softmax(logits):
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
