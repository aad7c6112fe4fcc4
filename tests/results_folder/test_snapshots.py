"""Archives of arrays, and models in them."""
import io
import json
import os
import pickle
import re
import zipfile

from source.files.plain_npz import read_plain_npz
from source.results_folder import snapshots
from source.results_folder.snapshots import SnapshotError, load_model, save_snapshot

import chainer
import chainer.links as L
import numpy as np
import pytest

ARRAYS = {'a': np.arange(6, dtype='f4').reshape(2, 3), 'b': np.array(5), 'c': np.zeros((0, 3)), 'd': np.array('text'),
          'e': np.asfortranarray(np.arange(6.).reshape(2, 3))}


class Net(chainer.Chain):
    def __init__(self, width=3, extra=False):
        super().__init__()
        with self.init_scope():
            self.a = L.Linear(2, width)
            self.b = L.BatchNormalization(width)
            if extra:
                self.c = L.Linear(width, 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'net.npz'


@pytest.fixture
def net():
    net = Net()
    net.b(net.a(np.random.RandomState(0).normal(size=(4, 2)).astype('f')))
    return net


@pytest.fixture
def saved(path, net):
    save_snapshot(path, net)
    return path


def entries(link):
    return {name: np.array(value) for name, value in snapshots.flattened(link).items()}


def refused(path, net=None):
    """The message, one line; checks that the network stays as it was."""
    net = net or Net()
    before = entries(net)
    with pytest.raises(SnapshotError) as caught:
        load_model(path, net)
    np.testing.assert_equal(entries(net), before)
    message = str(caught.value)
    assert message.startswith(f'{path}: ') and '\n' not in message
    return message


def test_round_trip_also_by_chainer_and_of_its_own_files(saved, net, tmp_path):
    """Chainer's have no digest, as those of before there was one."""
    theirs = tmp_path / 'theirs.npz'
    chainer.serializers.save_npz(theirs, net)
    assert entries(net)['b/avg_mean'].any()
    for load, path in ((load_model, saved), (chainer.serializers.load_npz, saved), (load_model, theirs)):
        other = Net()
        load(path, other)
        np.testing.assert_equal(entries(other), entries(net))


def test_parameters_without_a_shape_yet(path):
    """They are None, which is written without a pickle, and stays None."""
    lazy, other = L.Linear(None, 3), L.Linear(None, 3)
    save_snapshot(path, lazy)
    with np.load(path, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    load_model(path, other)
    assert other.W.array is None
    lazy(np.zeros((1, 2), 'f4'))
    save_snapshot(path, lazy)
    load_model(path, other)
    np.testing.assert_array_equal(other.W.array, lazy.W.array)


def test_other_architectures(path):
    """The first name, in alphabetical order, that differs, and both shapes; a snapshot of training is named as such."""
    for written, net, expected in (({'width': 4}, {}, 'a/W has shape (4, 2), but Net has (3, 2) there'),
                                   ({}, {'extra': True}, 'Net needs c/W (1, 3), which the file does not hold'),
                                   ({'extra': True}, {}, 'holds c/W (1, 3), which Net does not have')):
        save_snapshot(path, Net(**written))
        assert expected in refused(path, Net(**net))
    for name, array, expected in (('b/avg_var', np.zeros(7), 'has shape (7,), but Net has (3,) there'),
                                  ('a/W', np.zeros((3, 2), complex), 'is of type complex128, but Net has float32'),
                                  ('a/W', np.full((3, 2), 'text'), 'is of type')):
        np.savez(path, **{**entries(Net()), name: array})
        assert f'{name} {expected}' in refused(path)
    np.savez(path, **{f'updater/model:opt_gen/{k}': v for k, v in entries(Net()).items()})
    assert 'a snapshot of the whole training, not of Net; expected a file like Net_<iteration>.npz' in refused(path)


def test_cut_changed_missing_or_another_file(saved, net):
    whole = saved.read_bytes()
    start = whole.index(net.a.W.array.tobytes())
    cut = [whole[:int(len(whole) * share)] for share in (0., .3, .999)]
    flipped = whole[:start] + bytes([whole[start] ^ 1]) + whole[start + 1:]
    for content in (*cut, flipped, b'hello\n', b'\x80\x04\x95', b'PK\x03\x04 and nothing more', bytes(99)):
        saved.write_bytes(content)
        message = refused(saved)
        assert 'not a complete .npz snapshot' in message and 'pickle' not in message
    saved.unlink()
    assert 'no such snapshot' in refused(saved)
    assert 'cannot be read: Is a directory' in refused(saved.parent)


class Mine:
    """A pickle that makes a folder where it is loaded."""

    def __reduce__(self):
        return os.mkdir, ('sprung',)


def test_pickles_are_neither_written_nor_run(path, net, monkeypatch):
    monkeypatch.chdir(path.parent)
    net.add_persistent('odd', np.array([{}]))
    with pytest.raises(ValueError, match='odd: expected numbers or text'):
        save_snapshot(path, net)
    assert os.listdir() == []
    path.write_bytes(pickle.dumps(Mine()))
    assert 'not a complete .npz snapshot' in refused(path)
    np.savez(path, **{**entries(Net()), 'a/W': np.array([Mine()])})
    assert 'allow_pickle=False' in refused(path)
    assert os.listdir() == [path.name]
    pickle.loads(pickle.dumps(Mine()))
    assert os.path.exists('sprung')


def test_digest_depends_on_every_name_type_shape_and_number():
    base = {'a': np.arange(4, dtype='f4'), 'b': np.array('text'), 'c': np.float32(3)}
    others = [{**base, 'a': base['a'].astype('f8')}, {**base, 'a': base['a'].reshape(2, 2)},
              {**base, 'a': base['a'][::-1]}, {**base, 'b': np.array('texs')}, {**base, 'c': np.float32(4)},
              {'d' if name == 'c' else name: value for name, value in base.items()}, {'a': base['a'], 'b': base['b']}]
    digests = [snapshots._digest(arrays) for arrays in [base, *others]]
    assert len(set(digests)) == len(digests)
    assert snapshots._digest(dict(reversed(base.items()))) == digests[0]


@pytest.mark.parametrize('comment, expected', [
    ({'sngan_snapshot': 2}, 'expected a snapshot of version 1, found 2'),
    ({'sngan_snapshot': None}, 'version 1, found None'), ({'sha256': '0'}, 'damaged: expected the SHA-256 0..., found'),
    ({'sha256': None}, 'damaged'),
    *((content, 'its version and digest cannot be read') for content in (
        b'{"sngan_snapshot": 1}', b'{"sngan_snapshot": 1', b'["sngan_snapshot"]', b'\xff sngan_snapshot',
        b'"sngan_snapshot"' + b'[' * 50000))])
def test_other_versions_and_digests(saved, comment, expected):
    with zipfile.ZipFile(saved, 'a') as archive:
        said = json.loads(archive.comment)
        assert said.keys() == {'sngan_snapshot', 'sha256'} and len(said['sha256']) == 64
        archive.comment = comment if isinstance(comment, bytes) else json.dumps({**said, **comment}).encode()
    assert expected in refused(saved)


def write(path, shape=(8,), compression=zipfile.ZIP_STORED):
    """An .npz of an array of 64 bytes, whose header says what it is told to."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {'descr': '<f8', 'fortran_order': False, 'shape': shape})
    with zipfile.ZipFile(path, 'w', compression) as archive:
        archive.writestr('ims.npy', header.getvalue() + bytes(64))


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_arrays_are_read_as_they_were(path, save):
    save(path, **ARRAYS)
    read = read_plain_npz(path, 'file')
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array, strict=True)
    assert list(read_plain_npz(path, 'file', names={'b', 'z'})) == ['b']


def test_another_size_than_there_is_and_what_is_no_array_are_refused(path):
    for shape in ((10 ** 13,), (10 ** 30,), (-1,), (7,), (9,), (2 ** 32, 2 ** 32), (0, 10 ** 30)):
        write(path, shape)
        assert re.search(r'not a complete .npz snapshot .*expected -?\d+ bytes, found 192', refused(path)), shape
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('ims.npy', b'text')
        archive.writestr('notes.txt', b'text')
    assert 'not a complete .npz snapshot' in refused(path)


def test_damaged_archives(path):
    """Encrypted, packed by an unknown method, spoilt."""
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        write(path, compression=compression)
        whole = path.read_bytes()
        directory = whole.index(b'PK\x01\x02')
        for changes in ({6: 1, directory + 8: 1}, {8: 99, directory + 10: 99}, dict.fromkeys(range(50, 60), 255)):
            content = bytearray(whole)
            for place, byte in changes.items():
                content[place] = byte
            path.write_bytes(content)
            assert 'architecture' not in refused(path)
