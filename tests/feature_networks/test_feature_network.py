import os
import re

from source.datasets.digits import DigitsDataset
from source.feature_networks import feature_network, load_feature_network
from source.feature_networks.digits import WEIGHTS_PATH, DigitsNet
from source.feature_networks.feature_network import BATCHSIZE, read_weights, save_weights, weights_digest
from source.miscs.snapshots import flattened
from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import write_hdf5_file

import chainer
import numpy as np
import pytest


@pytest.fixture(scope='module')
def network():
    return load_feature_network('digits')


@pytest.fixture(scope='module')
def ims():
    return DigitsDataset('train').ims[:2 * BATCHSIZE + 3]


def test_contract(network, ims):
    """It is the chain in test mode with the shipped weights, and each image is judged alone."""
    feats, probs = network(ims)
    assert (feats.dtype, feats.shape) == (np.float32, (len(ims), 64))
    assert (probs.dtype, probs.shape) == (np.float32, (len(ims), 10))
    chain = DigitsNet()
    chainer.serializers.load_hdf5(WEIGHTS_PATH, chain)
    with chainer.using_config('train', False):
        expected = [output.array for output in chain((ims[:9] / 127.5 - 1.).astype(np.float32))]
    for part, (part_feats, part_probs) in (
            (slice(0, 9), expected), (slice(3, 10), network(ims[3:10])), (slice(-4, None), network(ims[-4:]))):
        np.testing.assert_allclose(part_feats, feats[part], rtol=1e-4, atol=1e-5 * np.abs(feats).max())
        np.testing.assert_allclose(part_probs, probs[part], rtol=1e-4, atol=1e-5)
    assert (network.name, network.n_classes) == ('digits', 10)
    assert os.path.getsize(WEIGHTS_PATH) < 400_000


def test_unknown_name():
    with pytest.raises(ValueError, match="expected one of .*digits.*, got 'digit'"):
        load_feature_network('digit')


@pytest.mark.parametrize('ims', [np.zeros((2, 3, 16, 16), np.float32), np.zeros((2, 16, 16, 3), np.uint8),
                                 np.zeros((3, 16, 16), np.uint8),
                                 np.zeros((0, 3, 16, 16), np.uint8)])
def test_refuses_other_arrays(network, ims):
    message = f'ims: expected uint8 (N, 3, H, W), N >= 1; got {ims.dtype} {ims.shape}'
    with pytest.raises(ValueError, match=re.escape(message)):
        network(ims)


@pytest.mark.gpu
def test_gpu_agrees(network, ims):
    for on_cpu, on_gpu in zip(network(ims), load_feature_network('digits', device=0)(ims), strict=True):
        assert isinstance(on_gpu, np.ndarray)
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-3, atol=1e-3 * np.abs(on_cpu).max())


class NetWithStatistics(chainer.Chain):
    def __init__(self):
        super().__init__(conv=chainer.links.Convolution2D(3, 4, 3), bn=chainer.links.BatchNormalization(4))
        self.bn.avg_mean[:] = 5.


def test_equal_weights_make_equal_files_whole_or_not_at_all(tmp_path, monkeypatch):
    """Files that Chainer reads; its own order follows a set of strings."""
    net, loaded, path = NetWithStatistics(), NetWithStatistics(), tmp_path / 'a.h5'
    loaded.bn.avg_mean[:] = 0.
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
    net = NetWithStatistics()
    arrays = flattened(net)
    before = weights_digest(arrays)
    net.bn.N += 7
    assert weights_digest(dict(reversed(flattened(net).items()))) == before
    for name, array in arrays.items():
        if not name.endswith('/N'):
            changed = array.copy()
            changed.flat[-1] += 1
            assert weights_digest({**arrays, name: changed}) != before
            assert weights_digest({**arrays, name: array.reshape(1, *array.shape)}) != before
            assert weights_digest({**arrays, name: array.astype('f8')}) != before
    assert weights_digest({'b': np.ones(3), 'a': np.ones(2)}) != weights_digest({'b': np.ones(2), 'a': np.ones(3)})
    digests = []
    for seed, compression in ((3, None), (3, 'gzip'), (4, None)):
        np.random.seed(seed)
        write_hdf5_file(tmp_path / 'a.h5', flattened(DigitsNet()), compression)
        digests.append(load_feature_network('digits', weights=str(tmp_path / 'a.h5')).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize('value, expected', [
    (np.zeros((3, 3)), r'l6/b: expected shape \(10,\), found \(3, 3\)'), (np.full(10, np.nan), 'l6/b: expected finite'),
    (np.full(10, np.inf, 'f4'), 'l6/b: expected finite'), (None, 'lacks l6/b')])
def test_refuses_other_weights(tmp_path, value, expected):
    net = DigitsNet()
    arrays = {**flattened(net), 'l6/b': value}
    if value is None:
        del arrays['l6/b']
    write_hdf5_file(tmp_path / 'a.h5', arrays)
    before = net.l6.b.array.copy()
    with pytest.raises(WeightFileError, match=expected):
        read_weights(tmp_path / 'a.h5', net)
    np.testing.assert_array_equal(net.l6.b.array, before)
    with pytest.raises(WeightFileError, match=expected):
        load_feature_network('digits', weights=str(tmp_path / 'a.h5'))
