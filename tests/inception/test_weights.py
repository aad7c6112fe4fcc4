"""Every source gives the same 660 arrays, and whatever is not one of them is refused in one line."""
import gzip
import io
import re
import tarfile

from source.inception.inception_score import Inception
from source.inception.names import CONVOLUTIONS
from source.inception.weights import load_weights, read_weights, save_weights, weight_shapes
from source.weight_files import WeightFileError
from tests.inception import weight_files
from tests.weight_files import graph_def_writer, torch_writer

import chainer
import h5py
import numpy as np
import pytest

KINDS = ['pb', 'tgz', 'pth', 'legacy pth', 'h5']


def assert_refused(path, *words):
    with pytest.raises(WeightFileError) as error:
        read_weights(path)
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < 400
    for word in words:
        assert word in message


@pytest.mark.parametrize('kind', KINDS)
def test_every_source(kind, arrays, tmp_path):
    read = read_weights(weight_files.write(tmp_path / 'weights', kind, arrays))
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name, strict=True)


def test_our_h5_is_chainers(arrays, tmp_path):
    save_weights(tmp_path / 'ours.h5', arrays)
    save_weights(tmp_path / 'again.h5', dict(reversed(arrays.items())))
    assert (tmp_path / 'ours.h5').read_bytes() == (tmp_path / 'again.h5').read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['again.h5', 'ours.h5']
    by_chainer, by_us = Inception(), Inception()
    chainer.serializers.load_hdf5(tmp_path / 'ours.h5', by_chainer)
    load_weights(tmp_path / 'ours.h5', by_us)
    for model in (by_chainer, by_us):
        np.testing.assert_array_equal(model['mixed_9']['tower']['mixed']['conv_1']['conv_1'].W.array,
                                      arrays['mixed_9/tower/mixed/conv_1/conv_1/W'])
        np.testing.assert_array_equal(model.mixed.tower_1.bn_conv_2.avg_var, arrays['mixed/tower_1/bn_conv_2/avg_var'])


def test_names():
    """The names that the authors' files have, and how many."""
    shapes = weight_shapes()
    params = dict(Inception().namedparams())
    assert len(shapes) == 660 and len(params) == 378
    assert sum(name.endswith('/b') and name != '/logit/b' for name in params) == 94
    for name, shape in {'conv/W': (32, 3, 3, 3), 'bn_conv/avg_mean': (32,), 'mixed/conv/conv/W': (64, 192, 1, 1),
                        'mixed_1/tower_2/bn_conv/gamma': (64,), 'mixed_3/conv/conv/W': (384, 288, 3, 3),
                        'mixed_4/tower/conv_1/W': (128, 128, 1, 7), 'mixed_7/tower_1/conv_4/W': (192, 192, 1, 7),
                        'mixed_8/tower_1/conv_3/W': (192, 192, 3, 3), 'mixed_10/tower_2/conv/b': (192,),
                        'mixed_9/tower_1/mixed/conv_1/conv_1/W': (384, 384, 3, 1), 'logit/W': (1008, 2048)}.items():
        assert shapes[name] == shape
    assert [len({row[i] for row in CONVOLUTIONS}) for i in range(3)] == [94, 94, 94]


@pytest.mark.parametrize('kind', KINDS)
def test_cut(kind, arrays, tmp_path):
    path = weight_files.write(tmp_path / 'weights', kind, arrays)
    whole = path.read_bytes()
    for n in (0, 1, 9, 100, 5000, len(whole) // 2, len(whole) - 70_000, len(whole) - 1):
        path.write_bytes(whole[:n])
        assert_refused(path)


@pytest.mark.parametrize('kind', ['pb', 'pth', 'h5'])
@pytest.mark.parametrize('change, words', [
    ('missing', ['lacks', '5b.branch5x5_2.bn.weight|mixed/tower/conv_1/batchnorm/gamma|mixed/tower/bn_conv_1/gamma']),
    ('shape', ['expected.* shape', r'\(64,\)', r'found.*\(63,\)']),
    ('infinite', ['mixed/tower/bn_conv_1/gamma', 'finite'])])
def test_one_array_wrong(kind, change, words, arrays, tmp_path):
    changed, name = dict(arrays), 'mixed/tower/bn_conv_1/gamma'
    if change == 'missing':
        theirs = {'pb': 'mixed/tower/conv_1/batchnorm/gamma', 'pth': 'Mixed_5b.branch5x5_2.bn.weight', 'h5': name}[kind]
        if kind == 'pb':
            constants = weight_files.graph_constants(arrays)
            del constants[theirs]
            (tmp_path / 'weights').write_bytes(graph_def_writer.graph(constants))
        elif kind == 'pth':
            tensors = weight_files.torch_arrays(arrays)
            del tensors[theirs]
            (tmp_path / 'weights').write_bytes(torch_writer.zip_file(tensors))
        else:
            del changed[name]
            weight_files.hdf5(tmp_path / 'weights', changed)
    else:
        changed[name] = changed[name][:63] if change == 'shape' else np.full(64, np.nan, np.float32)
        weight_files.write(tmp_path / 'weights', kind, changed)
    with pytest.raises(WeightFileError) as error:
        read_weights(tmp_path / 'weights')
    for word in words:
        assert re.search(word, str(error.value)), str(error.value)


def test_negative_variance(arrays, tmp_path):
    changed = {**arrays, 'bn_conv/avg_var': -arrays['bn_conv/avg_var']}
    assert_refused(weight_files.write(tmp_path / 'weights', 'h5', changed), 'bn_conv/avg_var', 'no negative variance')


def test_unexpected_arrays(arrays, tmp_path):
    tensors = {**weight_files.torch_arrays(arrays), 'AuxLogits.fc.weight': np.zeros(3, 'f4')}
    (tmp_path / 'weights').write_bytes(torch_writer.zip_file(tensors))
    assert_refused(tmp_path / 'weights', 'unexpectedly, AuxLogits.fc.weight')
    weight_files.hdf5(tmp_path / 'weights', {**arrays, 'more/W': np.zeros(3, 'f4')})
    assert_refused(tmp_path / 'weights', 'unexpectedly, more/W')


def test_integers_for_weights(arrays, tmp_path):
    tensors = {**weight_files.torch_arrays(arrays), 'fc.bias': np.zeros(1008, 'i8')}
    (tmp_path / 'weights').write_bytes(torch_writer.zip_file(tensors))
    assert_refused(tmp_path / 'weights', 'fc.bias', 'expected floats', 'int64')


def test_torchvisions_network_is_another(tmp_path):
    """The Inception v3 that torchvision trained has 1000 classes and other weights under the same names."""
    path = tmp_path / 'inception_v3_google.pth'
    path.write_bytes(torch_writer.zip_file({'fc.weight': np.zeros((1000, 2048), 'f4')}))
    assert_refused(path, 'lacks')


def test_another_eps(arrays, tmp_path):
    (tmp_path / 'weights').write_bytes(weight_files.graph(arrays, eps=2e-3))
    assert_refused(tmp_path / 'weights', 'variance_epsilon', '0.002')


def test_archives(arrays, tmp_path):
    path = tmp_path / 'weights.tgz'
    path.write_bytes(weight_files.archive(b'text', name='another.pb'))
    assert_refused(path, 'holds no classify_image_graph_def.pb')
    path.write_bytes(weight_files.archive(b'no graph'))
    assert_refused(path, 'TensorFlow graph')
    path.write_bytes(gzip.compress(b'no archive'))
    assert_refused(path, 'archive of 2015')


def test_an_archive_that_unpacks_to_much_more(tmp_path, monkeypatch):
    monkeypatch.setattr('source.inception.weights._MOST_BYTES', 1 << 20)
    for content, why in ((weight_files.archive(bytes(2 << 20)), 'larger than any graph'),
                         (weight_files.archive(bytes(2 << 20), 'another'), 'unpacks to more'),
                         (gzip.compress(bytes(64 << 20)), 'unpacks to more')):
        (tmp_path / 'weights.tgz').write_bytes(content)
        assert_refused(tmp_path / 'weights.tgz', 'archive of 2015', why)


def sparse_archive(n_bytes):
    """The graph as a file with a hole of n_bytes and nothing else, which takes none in the archive."""
    member = tarfile.TarInfo(weight_files.GRAPH_NAME)
    member.pax_headers = {'GNU.sparse.map': '0,0', 'GNU.sparse.size': str(n_bytes), 'GNU.sparse.numblocks': '1',
                          'GNU.sparse.name': weight_files.GRAPH_NAME}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w', format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)
    return gzip.compress(file.getvalue())


@pytest.mark.parametrize('n_bytes', [1 << 26, 1 << 45])
def test_an_archive_with_holes(tmp_path, n_bytes):
    (tmp_path / 'weights.tgz').write_bytes(sparse_archive(n_bytes))
    assert_refused(tmp_path / 'weights.tgz', 'archive of 2015', 'sparse')


def test_a_huge_file(tmp_path):
    with open(tmp_path / 'weights', 'wb') as file:
        file.truncate(1 << 40)
    assert_refused(tmp_path / 'weights', 'more than')


def test_hdf5_links_lead_nowhere(arrays, tmp_path):
    path = weight_files.write(tmp_path / 'weights', 'h5', arrays)
    with h5py.File(path, 'r+') as file:
        del file['logit/b']
        file['logit/b'] = h5py.ExternalLink('/etc/passwd', '/b')
    assert_refused(path, 'logit/b', 'a link')


def test_hdf5_of_huge_claims(arrays, tmp_path):
    """Arrays that are declared, not stored, are not read before their shape is known to be right."""
    path = weight_files.write(tmp_path / 'weights', 'h5', arrays)
    with h5py.File(path, 'r+') as file:
        del file['logit/b']
        file.create_dataset('logit/b', shape=(1 << 50,), dtype='f4', chunks=(1 << 10,))
    assert_refused(path, 'logit/b', 'expected shape (1008,)')


def test_hdf5_of_objects(arrays, tmp_path):
    path = weight_files.write(tmp_path / 'weights', 'h5', arrays)
    with h5py.File(path, 'r+') as file:
        del file['logit/b']
        file.create_dataset('logit/b', data=['text'] * 1008)
    assert_refused(path, 'logit/b', 'expected numbers')


def test_other_files(tmp_path):
    (tmp_path / 'weights').write_bytes(b'\x93NUMPY and more')
    assert_refused(tmp_path / 'weights', '.tgz, .pb, .pth or .h5')
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / 'missing')


def test_a_refused_file_changes_nothing(arrays, tmp_path):
    model = Inception()
    before = {name: param.array.copy() for name, param in model.namedparams()}
    weight_files.write(tmp_path / 'weights', 'h5', {**arrays, 'logit/b': np.full(1008, np.inf, 'f4')})
    with pytest.raises(WeightFileError):
        load_weights(tmp_path / 'weights', model)
    for name, param in model.namedparams():
        np.testing.assert_array_equal(param.array, before[name])
