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
import h5py
import numpy as np
import pytest


@pytest.fixture(scope='module')
def network():
    return load_feature_network('digits')


@pytest.fixture(scope='module')
def ims():
    return DigitsDataset('train').ims[:2 * BATCHSIZE + 3]


def test_contract(network, ims):
    feats, probs = network(ims)
    assert (feats.dtype, feats.shape) == (np.float32, (len(ims), 64))
    assert (probs.dtype, probs.shape) == (np.float32, (len(ims), 10))
    np.testing.assert_allclose(probs.sum(axis=1), 1., rtol=1e-5)


def test_each_image_is_judged_alone(network, ims):
    feats, probs = network(ims)
    for part in (slice(0, 1), slice(3, 10), slice(BATCHSIZE - 1, None)):
        part_feats, part_probs = network(ims[part])
        np.testing.assert_allclose(part_feats, feats[part], rtol=1e-4, atol=1e-5 * np.abs(feats).max())
        np.testing.assert_allclose(part_probs, probs[part], rtol=1e-4, atol=1e-5)


def test_is_the_chain_in_test_mode_with_the_shipped_weights(network, ims):
    chain = DigitsNet()
    chainer.serializers.load_hdf5(WEIGHTS_PATH, chain)
    with chainer.using_config('train', False):
        feats, probs = chain((ims[:9] / 127.5 - 1.).astype(np.float32))
    np.testing.assert_allclose(network(ims[:9])[0], feats.array, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(network(ims[:9])[1], probs.array, rtol=1e-4, atol=1e-5)


def test_name_and_digest(network):
    with open(WEIGHTS_PATH, 'rb') as file:
        content = file.read()
    assert (network.name, network.n_classes) == ('digits', 10)
    assert re.fullmatch('[0-9a-f]{64}', network.digest)
    assert len(content) < 400_000


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


def test_weights_round_trip(tmp_path):
    net, loaded = NetWithStatistics(), NetWithStatistics()
    loaded.bn.avg_mean[:] = 0.
    save_weights(tmp_path / 'net.h5', net)
    chainer.serializers.load_hdf5(tmp_path / 'net.h5', loaded)
    np.testing.assert_array_equal(loaded.bn.avg_mean, 5.)
    for (name, param), (_, same) in zip(net.namedparams(), loaded.namedparams(), strict=True):
        np.testing.assert_array_equal(param.array, same.array, err_msg=name)


def test_equal_weights_make_equal_files(tmp_path, monkeypatch):
    """Chainer's own order follows a set of strings."""
    net = DigitsNet()
    save_weights(tmp_path / 'a.h5', net)
    monkeypatch.setattr(feature_network, 'flattened', lambda chain: dict(reversed(flattened(chain).items())))
    save_weights(tmp_path / 'b.h5', net)
    assert (tmp_path / 'a.h5').read_bytes() == (tmp_path / 'b.h5').read_bytes()


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / 'a.h5').write_bytes(b'what was there')
    monkeypatch.setattr(feature_network, 'flattened', lambda chain: {**flattened(chain), 'z': object()})
    with pytest.raises(TypeError):
        save_weights(tmp_path / 'a.h5', DigitsNet())
    assert os.listdir(tmp_path) == ['a.h5']
    assert (tmp_path / 'a.h5').read_bytes() == b'what was there'


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
    networks = []
    for compression in (None, 'gzip'):
        write_hdf5_file(tmp_path / 'a.h5', flattened(random_digits_net(3)), compression)
        networks.append(load_feature_network('digits', weights=str(tmp_path / 'a.h5')))
    assert networks[0].digest == networks[1].digest != load_feature_network('digits').digest


def random_digits_net(seed):
    np.random.seed(seed)
    return DigitsNet()


@pytest.mark.parametrize('value, expected', [
    (np.zeros((3, 3)), r'l6/b: expected shape \(10,\), found \(3, 3\)'), (np.full(10, np.nan), 'l6/b: expected finite'),
    (np.full(10, np.inf, 'f4'), 'l6/b: expected finite'), (h5py.ExternalLink('b.h5', '/b'), 'l6/b: expected an array'),
    (np.dtype('f4'), 'l6/b: expected an array'), (None, 'lacks l6/b'), (['text'] * 10, 'l6/b: expected numbers')])
def test_refuses_other_weights(tmp_path, value, expected):
    net = DigitsNet()
    save_weights(tmp_path / 'a.h5', net)
    with h5py.File(tmp_path / 'a.h5', 'r+') as file:
        del file['l6/b']
        if value is not None:
            file['l6/b'] = value
    before = flattened(net)['l6/b'].copy()
    with pytest.raises(WeightFileError, match=expected):
        read_weights(tmp_path / 'a.h5', net)
    np.testing.assert_array_equal(net.l6.b.array, before)
    with pytest.raises(WeightFileError, match=expected):
        load_feature_network('digits', weights=str(tmp_path / 'a.h5'))
