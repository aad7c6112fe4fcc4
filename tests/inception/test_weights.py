"""Every source gives the same 660 arrays, and whatever is not one of them is refused in one line."""
import gzip
import io
import os
import re
import tarfile

from source.inception.inception_score import Inception
from source.inception.names import CONVOLUTIONS
from source.inception.weights import load_weights, read_weights, save_weights, weight_shapes
from source.weight_files import WeightFileError
from tests.inception import weight_files
from tests.inception.weight_files import KINDS
from tests.weight_files import torch_writer

import chainer
import h5py
import numpy as np
import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'weights'


def assert_refused(path, *patterns):
    with pytest.raises(WeightFileError) as error:
        read_weights(path)
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < 400
    for pattern in patterns:
        assert re.search(pattern, message), message


def assert_same(read, arrays):
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name, strict=True)


def test_the_whole_network(arrays, pth, path):
    """The two other kinds hold these two within them."""
    assert_same(read_weights(pth), arrays)
    assert_same(read_weights(weight_files.write(path, 'pb', arrays)), arrays)


@pytest.mark.parametrize('kind', KINDS)
def test_every_source(kind, small_arrays, path):
    """Any piece of a file is refused, to the last byte."""
    assert_same(read_weights(weight_files.write(path, kind, small_arrays)), small_arrays)
    whole = path.read_bytes()
    for n in (0, 1, 9, 100, *range(200, len(whole), 1 + len(whole) // 30), len(whole) - 8, len(whole) - 1):
        path.write_bytes(whole[:n])
        assert_refused(path)


def test_our_h5_is_chainers(arrays, tmp_path):
    save_weights(tmp_path / 'new' / 'ours.h5', arrays)
    assert os.listdir(tmp_path / 'new') == ['ours.h5']
    path = tmp_path / 'new' / 'ours.h5'
    by_chainer, by_us = Inception(), Inception()
    chainer.serializers.load_hdf5(path, by_chainer)
    load_weights(path, by_us)
    with h5py.File(path, 'r+') as file:
        file['logit/b'][-1] = np.inf
    with pytest.raises(WeightFileError):
        load_weights(path, by_us)  # which changes nothing
    for model in (by_chainer, by_us):
        np.testing.assert_array_equal(model['mixed_9']['tower']['mixed']['conv_1']['conv_1'].W.array,
                                      arrays['mixed_9/tower/mixed/conv_1/conv_1/W'])
        np.testing.assert_array_equal(model.mixed.tower_1.bn_conv_2.avg_var, arrays['mixed/tower_1/bn_conv_2/avg_var'])
        np.testing.assert_array_equal(model.logit.b.array, arrays['logit/b'])


def test_names(models):
    """The names that the authors' files have, and how many."""
    shapes = weight_shapes()
    params = dict(models['tf'].namedparams())
    assert len(shapes) == 660 and len(params) == 378
    assert sum(name.endswith('/b') and name != '/logit/b' for name in params) == 94
    for name, shape in {'conv/W': (32, 3, 3, 3), 'bn_conv/avg_mean': (32,), 'mixed/conv/conv/W': (64, 192, 1, 1),
                        'mixed_1/tower_2/bn_conv/gamma': (64,), 'mixed_3/conv/conv/W': (384, 288, 3, 3),
                        'mixed_4/tower/conv_1/W': (128, 128, 1, 7), 'mixed_7/tower_1/conv_4/W': (192, 192, 1, 7),
                        'mixed_8/tower_1/conv_3/W': (192, 192, 3, 3), 'mixed_10/tower_2/conv/b': (192,),
                        'mixed_9/tower_1/mixed/conv_1/conv_1/W': (384, 384, 3, 1), 'logit/W': (1008, 2048)}.items():
        assert shapes[name] == shape
    assert [len({row[i] for row in CONVOLUTIONS}) for i in range(3)] == [94, 94, 94]


@pytest.mark.parametrize('kind, changes, pattern', [
    ('pb', {'conv/batchnorm/gamma': None}, 'lacks conv/batchnorm/gamma'),
    ('pth', {'Conv2d_1a_3x3.bn.weight': None}, 'lacks Conv2d_1a_3x3.bn.weight'),
    ('h5', {'bn_conv/gamma': None}, 'lacks bn_conv/gamma'),
    ('pth', {'AuxLogits.fc.weight': np.zeros(3, 'f4')}, 'holds, unexpectedly, AuxLogits.fc.weight'),
    ('h5', {'more/W': np.zeros(3, 'f4')}, 'holds, unexpectedly, more/W'),
    ('pb', {'conv/batchnorm/gamma': np.ones(3, 'f4')}, r'gamma: expected shape \(2,\), found \(3,\)'),
    ('pth', {'Conv2d_1a_3x3.bn.weight': np.ones(3, 'f4')},
     r'bn.weight: expected floats of shape \(2,\) \(as bn_conv/gamma\), found float32 \(3,\)'),
    ('h5', {'bn_conv/gamma': np.ones(3, 'f4')}, r'gamma: expected shape \(2,\), found \(3,\)'),
    ('pth', {'fc.bias': np.zeros(4, 'i8')},
     r'fc.bias: expected floats of shape \(4,\) \(as logit/b\), found int64 \(4,\)'),
    ('pb', {'softmax/biases': np.full(4, np.nan, 'f4')}, 'logit/b: expected finite numbers and no negative variance'),
    ('pth', {'fc.bias': np.full(4, np.inf, 'f4')}, 'logit/b: expected finite'),
    ('h5', {'bn_conv/avg_var': np.array([1, -1], 'f4')}, 'bn_conv/avg_var: expected finite')])
def test_one_array_wrong(kind, changes, pattern, small_arrays, path):
    assert_refused(weight_files.write(path, kind, small_arrays, changes), pattern)


def test_torchvisions_network_is_another(small_arrays, path):
    """The Inception v3 that torchvision trained has 1000 classes and other weights under the same names."""
    path.write_bytes(torch_writer.zip_file({'fc.weight': np.zeros((1000, 2048), 'f4')}))
    assert_refused(path, 'lacks')


def test_another_eps(small_arrays, path):
    weight_files.write(path, 'pb', small_arrays, eps=2e-3)
    assert_refused(path, 'conv/batchnorm: expected variance_epsilon 0.001, found 0.002')


def sparse_archive(n_bytes):
    """The graph as a file with a hole of n_bytes and nothing else, which takes none in the archive."""
    member = tarfile.TarInfo(weight_files.GRAPH_NAME)
    member.pax_headers = {'GNU.sparse.map': '0,0', 'GNU.sparse.size': str(n_bytes), 'GNU.sparse.numblocks': '1',
                          'GNU.sparse.name': weight_files.GRAPH_NAME}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w', format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)
    return gzip.compress(file.getvalue())


def test_archives(small_arrays, path, monkeypatch):
    monkeypatch.setattr('source.inception.weights._MOST_BYTES', 1 << 16)
    for content, why in (
            (weight_files.archive(b'text', name='another.pb'), 'archive of 2015; it holds no classify_image_graph_def'),
            (weight_files.archive(b'no graph'), 'TensorFlow graph'), (gzip.compress(b'no archive'), 'archive of 2015'),
            (weight_files.archive(bytes(2 << 16)), 'archive of 2015; .*larger than any graph'),
            (weight_files.archive(bytes(2 << 16), 'another'), 'archive of 2015; .*unpacks to more'),
            (gzip.compress(bytes(4 << 20)), 'archive of 2015; .*unpacks to more'),
            (sparse_archive(1 << 12), 'archive of 2015; .*sparse'), (sparse_archive(1 << 45), 'sparse')):
        path.write_bytes(content)
        assert_refused(path, why)


def test_other_files(path):
    with pytest.raises(FileNotFoundError):
        read_weights(path)
    path.write_bytes(b'\x93NUMPY and more')
    assert_refused(path, r"as \.tgz, \.pb, \.pth or \.h5; found a file beginning with b'\\x93NUMPY a'")
    with open(path, 'wb') as file:
        file.truncate(1 << 40)
    assert_refused(path, 'found a file of more than 536870912 bytes')


def test_hdf5_of_huge_claims(small_arrays, path):
    """Arrays that are declared, not stored, are not read before their shape is known to be right."""
    weight_files.write(path, 'h5', small_arrays, {'logit/b': None})
    with h5py.File(path, 'r+') as file:
        file.create_dataset('logit/b', shape=(1 << 50,), dtype='f4', chunks=(1 << 10,))
    assert_refused(path, r'logit/b: expected shape \(4,\)')
