import os
import re

from source.datasets.digits import DigitsDataset
from source.feature_networks import feature_network, load_feature_network
from source.feature_networks.digits import WEIGHTS_PATH, DigitsNet
from source.feature_networks.feature_network import BATCHSIZE, read_weights, save_weights, weights_digest
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import write_hdf5_file

import chainer
import numpy as np
import pytest


def images():
    return DigitsDataset('train').ims[:2 * BATCHSIZE + 3]


def test_contract():
    """It is the chain in test mode with the shipped weights, and each image is judged alone."""
    network, ims = load_feature_network('digits'), images()
    feats, probs = network(ims)
    assert feats.dtype == probs.dtype == np.float32 and feats.shape[1:] == (64,) and probs.shape == (len(ims), 10)
    chain = DigitsNet()
    chainer.serializers.load_hdf5(WEIGHTS_PATH, chain)
    with chainer.using_config('train', False):
        expected = [output.array for output in chain((ims[:9] / 127.5 - 1.).astype(np.float32))]
    for part, (part_feats, part_probs) in (
            (slice(0, 9), expected), (slice(3, 10), network(ims[3:10])), (slice(-4, None), network(ims[-4:]))):
        np.testing.assert_allclose(part_feats, feats[part], rtol=1e-4, atol=1e-5 * np.abs(feats).max())
        np.testing.assert_allclose(part_probs, probs[part], rtol=1e-4, atol=1e-5)
    assert (network.name, network.n_classes) == ('digits', 10)
    several = [ims[0], ims[1].repeat(2, axis=1), ims[2, :1], ims[3]]  # of several sizes and channels
    for im, *found in zip(several, *network(several), strict=True):
        for alone, output in zip(network(im[None]), found, strict=True):
            np.testing.assert_allclose(output, alone[0], rtol=1e-4, atol=1e-5 * np.abs(feats).max())
    with pytest.raises(ValueError, match='digits has a way of its own to take images of any size'):
        network.use_clean_resize()
    assert os.path.getsize(WEIGHTS_PATH) < 400_000


def test_unknown_name():
    with pytest.raises(ValueError, match="expected one of .*digits.*, got 'digit'"):
        load_feature_network('digit')


@pytest.mark.parametrize('shape, dtype', [((2, 3, 16, 16), 'float32'), ((2, 16, 16, 3), 'uint8'),
                                          ((3, 3, 16), 'uint8'), ((0, 3, 16, 16), 'uint8')])
def test_refuses_other_arrays(shape, dtype):
    with pytest.raises(ValueError, match=re.escape(f'(N, 1, H, W), N >= 1; got {dtype} {shape}')):
        load_feature_network('digits')(np.zeros(shape, dtype))


@pytest.mark.gpu
def test_gpu_agrees():
    cpu, gpu = (load_feature_network('digits', device=device) for device in (-1, 0))
    for on_cpu, on_gpu in zip(cpu(images()), gpu(images()), strict=True):
        assert isinstance(on_gpu, np.ndarray)
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-3, atol=1e-3 * np.abs(on_cpu).max())


def net_with_statistics():
    return chainer.Chain(conv=chainer.links.Convolution2D(3, 4, 3), bn=chainer.links.BatchNormalization(4))


def test_equal_weights_make_equal_files_whole_or_not_at_all(tmp_path, monkeypatch):
    """Files that Chainer reads; its own order follows a set of strings."""
    net, loaded, path = net_with_statistics(), net_with_statistics(), tmp_path / 'a.h5'
    net.bn.avg_mean[:] = 5.
    save_weights(path, net)
    chainer.serializers.load_hdf5(path, loaded)
    for name, array in flattened(loaded).items():
        np.testing.assert_array_equal(array, flattened(net)[name], err_msg=name)
    content = path.read_bytes()
    monkeypatch.setattr(feature_network, 'flattened', lambda chain: dict(reversed(flattened(chain).items())))
    save_weights(path, net)
    assert path.read_bytes() == content
    monkeypatch.setattr(feature_network, 'flattened', lambda chain: {**flattened(chain), 'z': object()})
    with pytest.raises(TypeError):
        save_weights(path, net)
    assert os.listdir(tmp_path) == ['a.h5']
    assert path.read_bytes() == content


def test_the_digest_is_of_the_weights(tmp_path):
    """Whatever the file, and whatever was counted; each number of each array counts."""
    net = net_with_statistics()
    arrays = flattened(net)
    before = weights_digest(arrays)
    net.bn.N += 7
    assert weights_digest(dict(reversed(flattened(net).items()))) == before
    for name, array in arrays.items():
        if not name.endswith('/N'):
            changed = array.copy()
            changed.flat[-1] += 1
            for other in (changed, array.reshape(1, *array.shape), array.astype('f8')):
                assert weights_digest({**arrays, name: other}) != before
    assert weights_digest({'b': np.ones(3), 'a': np.ones(2)}) != weights_digest({'b': np.ones(2), 'a': np.ones(3)})
    arrays = flattened(DigitsNet())
    for compression in (None, 'gzip'):
        write_hdf5_file(tmp_path / 'a.h5', arrays, compression)
        assert load_feature_network('digits', weights=str(tmp_path / 'a.h5')).digest == weights_digest(arrays)


@pytest.mark.parametrize('value, expected', [
    (np.zeros((3, 3)), r'l6/b: expected shape \(10,\), found \(3, 3\)'),
    (np.full(10, np.inf, 'f4'), 'l6/b: expected finite')])
def test_refuses_other_weights(tmp_path, value, expected):
    net, path = DigitsNet(), tmp_path / 'a.h5'
    write_hdf5_file(path, {**flattened(net), 'l6/b': value})
    before = net.l6.b.array.copy()
    with pytest.raises(WeightFileError, match=expected):
        read_weights(path, net)
    np.testing.assert_array_equal(net.l6.b.array, before)
    with pytest.raises(WeightFileError, match=expected):
        load_feature_network('digits', weights=str(path))
