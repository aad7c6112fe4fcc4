"""Every source gives the same 660 arrays, and whatever is not one of them is refused in one line."""
import gzip
import os
import re

from source.inception.inception_score import Inception
from source.inception.weights import load_weights, read_weights, save_weights
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError
from tests.inception import weight_files
from tests.inception.random_weights import random_arrays

import chainer
import h5py
import numpy as np
import pytest

SPARSE = {'GNU.sparse.map': '0,0', 'GNU.sparse.size': '4096', 'GNU.sparse.numblocks': '1',
          'GNU.sparse.name': weight_files.GRAPH_NAME}  # a file with a hole, which takes no bytes in the archive


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'weights'


def assert_refused(path, pattern=''):
    with pytest.raises(WeightFileError) as error:
        read_weights(path)
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < 400
    assert re.search(pattern, message), message


def assert_same(read, arrays):
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name, strict=True)


def test_the_whole_network(pth, path):
    """The two other kinds hold these two within them."""
    assert_same(read_weights(pth), random_arrays())
    assert_same(read_weights(weight_files.write(path, 'pb', random_arrays())), random_arrays())


@pytest.mark.parametrize('kind', weight_files.KINDS)
def test_every_source(kind, small_arrays, path):
    """Any piece of a file is refused, to the last byte."""
    assert_same(read_weights(weight_files.write(path, kind, small_arrays)), small_arrays)
    whole = path.read_bytes()
    for n in (0, 1, 9, 100, *range(200, len(whole), 1 + len(whole) // 30), len(whole) - 8, len(whole) - 1):
        path.write_bytes(whole[:n])
        assert_refused(path)


def test_our_h5_is_chainers(tmp_path):
    path = tmp_path / 'new' / 'ours.h5'
    save_weights(path, random_arrays())
    assert os.listdir(path.parent) == ['ours.h5']
    by_chainer, by_us = Inception(), Inception()
    chainer.serializers.load_hdf5(path, by_chainer)
    load_weights(path, by_us)
    with h5py.File(path, 'r+') as file:
        file['logit/b'][-1] = np.inf
    with pytest.raises(WeightFileError):
        load_weights(path, by_us)  # which changes nothing
    for model in (by_chainer, by_us):
        assert_same(flattened(model), random_arrays())


@pytest.mark.parametrize('kind, changes, pattern', [
    ('pb', {'conv/batchnorm/gamma': None}, 'lacks conv/batchnorm/gamma'),
    ('pth', {'Conv2d_1a_3x3.bn.weight': None}, 'lacks Conv2d_1a_3x3.bn.weight'),
    ('pth', {'AuxLogits.fc.weight': np.zeros(3, 'f4')}, 'holds, unexpectedly, AuxLogits.fc.weight'),
    ('pb', {'conv/batchnorm/gamma': np.ones(3, 'f4')}, r'gamma: expected shape \(2,\), found \(3,\)'),
    ('pth', {'fc.bias': np.ones(3, 'f4')}, r'bias: expected floats of shape \(4,\) \(as logit/b\), found float32 \(3'),
    ('pth', {'fc.bias': np.zeros(4, 'i8')}, r'bias: expected floats of shape \(4,\) \(as logit/b\), found int64 \(4'),
    ('pb', {'softmax/biases': np.full(4, np.nan, 'f4')}, 'logit/b: expected finite numbers and no negative variance'),
    ('h5', {'bn_conv/avg_var': np.array([1, -1], 'f4')}, 'bn_conv/avg_var: expected finite')])
def test_one_array_wrong(kind, changes, pattern, small_arrays, path):
    assert_refused(weight_files.write(path, kind, small_arrays, changes), pattern)


def test_other_contents(small_arrays, path):
    """Arrays that are declared, not stored, are not read before their shape is known to be right."""
    weight_files.write(path, 'pb', small_arrays, eps=2e-3)
    assert_refused(path, 'conv/batchnorm: expected variance_epsilon 0.001, found 0.002')
    weight_files.write(path, 'h5', small_arrays, {'logit/b': None})
    with h5py.File(path, 'r+') as file:
        file.create_dataset('logit/b', shape=(1 << 50,), dtype='f4', chunks=(1 << 10,))
    assert_refused(path, r'logit/b: expected shape \(4,\)')


def test_no_file_and_a_large_one(path):
    with pytest.raises(FileNotFoundError):
        read_weights(path)
    with open(path, 'wb') as file:
        file.truncate(1 << 40)
    assert_refused(path, 'found a file of more than 536870912 bytes')


def test_other_files(small_arrays, path, monkeypatch):
    monkeypatch.setattr('source.inception.weights._MOST_BYTES', 1 << 16)
    for content, why in (
            (b'\x93NUMPY and more', r"as \.tgz, \.pb, \.pth or \.h5; found a file beginning with b'\\x93NUMPY a'"),
            (weight_files.archive(b'text', name='another.pb'), 'archive of 2015; it holds no classify_image_graph_def'),
            (weight_files.archive(b'no graph'), 'TensorFlow graph'), (gzip.compress(b'no archive'), 'archive of 2015'),
            (weight_files.archive(bytes(2 << 16)), 'archive of 2015; .*larger than any graph'),
            (weight_files.archive(bytes(2 << 16), 'another'), 'archive of 2015; .*unpacks to more'),
            (gzip.compress(bytes(4 << 20)), 'archive of 2015; .*unpacks to more'),
            (weight_files.archive(b'', headers=SPARSE), 'archive of 2015; .*sparse')):
        path.write_bytes(content)
        assert_refused(path, why)
