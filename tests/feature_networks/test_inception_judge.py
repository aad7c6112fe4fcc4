from pathlib import Path

from source.feature_networks import inception as networks
from source.feature_networks import load_feature_network
from source.miscs.commands_to_copy import python_command
from source.weight_files import WeightFileError
from tests.inception import weight_files
from tests.inception.photos import photos
from tests.inception.random_weights import random_arrays

import chainer
import numpy as np
import pytest


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    return str(weight_files.write(tmp_path_factory.mktemp('weights') / 'random.pth', 'pth', random_arrays()))


@pytest.fixture(scope='module')
def golden():
    with np.load(Path(__file__).parents[1] / 'inception' / 'golden.npz') as arrays:
        return dict(arrays)


@pytest.mark.parametrize('cpu_kernels', [True, False])
@pytest.mark.parametrize('name, mode, n_probs', [('inception', 'tf', 1008), ('inception_chainer', 'chainer', 1000)])
def test_contract(name, mode, n_probs, cpu_kernels, weights, golden):
    network = load_feature_network(name, weights=weights)
    with chainer.using_config('cpu_kernels', cpu_kernels):
        feats, probs = network(golden['ims'])
    assert (feats.dtype, feats.shape) == (np.float32, (2, 2048))
    assert (probs.dtype, probs.shape) == (np.float32, (2, n_probs))
    assert np.linalg.norm(feats - golden[f'{mode}_feats']) < 1e-5 * np.linalg.norm(feats)
    exponentials = np.exp(golden[f'{mode}_logits'].astype(np.float64))
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probs, expected[:, 1:1001] if mode == 'chainer' else expected, rtol=1e-3)
    assert (network.name, network.n_classes) == (name, 0)


def test_each_image_is_judged_alone(weights, monkeypatch):
    """To the last bit with the CPU kernels; in plain Chainer within 1e-6 (features) or 1e-5 of their norm."""
    monkeypatch.setattr(networks, 'BATCHSIZE', 4)
    network = load_feature_network('inception', weights=weights)
    ims = np.concatenate([photos(32, 32), photos(32, 32)[:, :, ::-1], photos(32, 32)[:, :, :, ::-1]])
    for cpu_kernels, shares in ((True, (0, 0)), (False, (1e-6, 1e-5))):
        with chainer.using_config('cpu_kernels', cpu_kernels):
            feats, probs = network(ims)
            for part in (slice(0, 1), slice(1, 4), slice(3, 6)):
                part_feats, part_probs = network(ims[part])
                for found, expected, share in ((part_feats, feats[part], shares[0]),
                                               (part_probs, probs[part], shares[1])):
                    difference = np.linalg.norm(found - expected, axis=1)
                    assert (difference <= share * np.linalg.norm(expected, axis=1)).all()


def test_where_the_weights_come_from(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('SNGAN_INCEPTION_WEIGHTS', raising=False)
    with pytest.raises(WeightFileError) as error:
        load_feature_network('inception')
    making = python_command('source/inception/download.py', '--outfile', 'datasets/inception_model')
    assert str(error.value).startswith(f'datasets/inception_model: no Inception weights; make them with `{making}`,')
    assert '\n' not in str(error.value)
    with pytest.raises(WeightFileError, match=r'^elsewhere: no Inception weights; .* --outfile elsewhere`'):
        load_feature_network('inception_chainer', weights='elsewhere')
    monkeypatch.setenv('SNGAN_INCEPTION_WEIGHTS', weights)
    by_variable = load_feature_network('inception')
    monkeypatch.delenv('SNGAN_INCEPTION_WEIGHTS')
    (tmp_path / 'datasets').mkdir()
    (tmp_path / 'datasets' / 'inception_model').symlink_to(weights)
    assert load_feature_network('inception').digest == by_variable.digest


def test_the_same_weights_in_another_file_have_the_same_digest(weights, tmp_path):
    """Statistics made with the one are those of the other."""
    digests = {load_feature_network('inception', weights=path).digest for path in (weights, *(
        str(weight_files.write(tmp_path / f'{kind}.file', kind, random_arrays())) for kind in ('tgz', 'h5')))}
    assert len(digests) == 1
    changed = random_arrays()
    changed['logit/b'] = changed['logit/b'] + np.float32(1e-3)
    path = str(weight_files.write(tmp_path / 'changed.h5', 'h5', changed))
    assert load_feature_network('inception', weights=path).digest not in digests


def test_another_file(tmp_path):
    (tmp_path / 'weights').write_bytes(b'GIF89a')
    with pytest.raises(WeightFileError, match=r'expected Inception weights as \.tgz, \.pb, \.pth or \.h5'):
        load_feature_network('inception', weights=str(tmp_path / 'weights'))


@pytest.mark.gpu
@pytest.mark.parametrize('name', ['inception', 'inception_chainer'])
def test_gpu_agrees(name, weights):
    ims = photos(32, 32)
    for on_cpu, on_gpu in zip(load_feature_network(name, weights=weights)(ims),
                              load_feature_network(name, device=0, weights=weights)(ims), strict=True):
        assert isinstance(on_gpu, np.ndarray)
        assert np.linalg.norm(on_gpu - on_cpu) < 1e-2 * np.linalg.norm(on_cpu)  # TF32 may be on
