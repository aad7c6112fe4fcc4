from source.command_line.commands_to_copy import python_command
from source.feature_networks import inception as networks
from source.feature_networks import load_feature_network
from source.feature_networks.feature_network import weights_digest
from source.weight_files import WeightFileError
from tests.inception.conftest import golden, pth  # noqa: F401  (fixtures)
from tests.inception.photos import photos
from tests.inception.random_weights import random_arrays

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('name, mode, cpu_kernels', [
    ('inception', 'tf', True), ('inception_chainer', 'chainer', False),
    pytest.param('inception', 'tf', False, marks=pytest.mark.long),
    pytest.param('inception_chainer', 'chainer', True, marks=pytest.mark.long)])
def test_contract(name, mode, cpu_kernels, golden, pth):  # noqa: F811
    network = load_feature_network(name, weights=str(pth))
    with chainer.using_config('cpu_kernels', cpu_kernels):
        feats, probs = network(golden['ims'])
    assert feats.dtype == probs.dtype == np.float32
    assert np.linalg.norm(feats - golden[f'{mode}_feats']) < 1e-5 * np.linalg.norm(feats)
    expected = golden[f'{mode}_probs']
    np.testing.assert_allclose(probs, expected[:, 1:1001] if mode == 'chainer' else expected, rtol=1e-3)
    assert (network.name, network.n_classes) == (name, 0)
    assert network.digest == weights_digest({f'inception/{own}': array for own, array in random_arrays().items()})


def test_where_the_weights_come_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('SNGAN_INCEPTION_WEIGHTS', raising=False)
    for name, path in (('inception', 'datasets/inception_model'), ('inception_chainer', 'elsewhere')):
        with pytest.raises(WeightFileError) as error:
            load_feature_network(name, weights=None if name == 'inception' else path)
        making = python_command('source/inception/download.py', '--outfile', path)
        assert str(error.value).startswith(f'{path}: no Inception weights; make them with `{making}`,')
        assert '\n' not in str(error.value)
    read = []
    monkeypatch.setattr(networks, 'load_weights', lambda path, model: read.append(path))
    (tmp_path / 'datasets').mkdir()
    for path in ('datasets/inception_model', 'by_variable', 'named'):
        (tmp_path / path).touch()
    load_feature_network('inception')
    monkeypatch.setenv('SNGAN_INCEPTION_WEIGHTS', 'by_variable')
    load_feature_network('inception')
    load_feature_network('inception', weights='named')
    assert read == ['datasets/inception_model', 'by_variable', 'named']


@pytest.mark.gpu
@pytest.mark.parametrize('name', ['inception', 'inception_chainer'])
def test_gpu_agrees(name, pth):  # noqa: F811
    ims = photos(32, 32)
    for on_cpu, on_gpu in zip(load_feature_network(name, weights=str(pth))(ims),
                              load_feature_network(name, device=0, weights=str(pth))(ims), strict=True):
        assert isinstance(on_gpu, np.ndarray)
        assert np.linalg.norm(on_gpu - on_cpu) < 1e-2 * np.linalg.norm(on_cpu)  # TF32 may be on
