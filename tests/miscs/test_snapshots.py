import json
import os
import pickle
import zipfile

from source.miscs import snapshots
from source.miscs.snapshots import SnapshotError, load_model, save_snapshot

import chainer
import chainer.links as L
import numpy as np
import pytest


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
def saved(path):
    """A snapshot of a Net."""
    save_snapshot(path, used())
    return path


def used():
    net = Net()
    net.b(net.a(np.random.RandomState(0).normal(size=(4, 2)).astype('f')))
    return net


def entries(link):
    return {name: np.array(value) for name, value in snapshots.flattened(link).items()}


def assert_equal(one, other):
    one, other = entries(one), entries(other)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def refused(path, net=None):
    """The message; checks that the network stays as it was."""
    net = net or Net()
    before = net.copy(mode='copy')
    with pytest.raises(SnapshotError) as caught:
        load_model(path, net)
    assert_equal(net, before)
    message = str(caught.value)
    assert message.startswith(f'{path}: ') and '\n' not in message
    return message


def test_round_trip_also_by_chainer_and_of_its_own_files(path, tmp_path):
    """Chainer's have no digest, as those of before there was one."""
    net = used()
    assert entries(net)['b/avg_mean'].any()
    save_snapshot(path, net)
    assert path.stat().st_mode & 0o777 == 0o644
    chainer.serializers.save_npz(tmp_path / 'theirs.npz', net)
    for load, name in ((load_model, path), (chainer.serializers.load_npz, path), (load_model, tmp_path / 'theirs.npz')):
        other = Net()
        load(name, other)
        assert_equal(net, other)


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


def test_interrupted_writing_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def half(file, **arrays):
        file.write(b'half a snapshot')
        raise KeyboardInterrupt
    monkeypatch.setattr(snapshots.np, 'savez', half)
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(saved, Net())
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ['net.npz']


# Another architecture: the first name, in alphabetical order, that differs, and both shapes

def test_other_architectures(path):
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


def test_snapshot_of_training_given_for_a_model(path):
    np.savez(path, **{f'updater/model:opt_gen/{k}': v for k, v in entries(Net()).items()})
    assert 'a snapshot of the whole training, not of Net; expected a file like Net_<iteration>.npz' in refused(path)


# Files that are no snapshot

def test_cut_changed_missing_or_another_file(saved):
    whole = saved.read_bytes()
    with np.load(saved) as arrays:
        start = whole.index(arrays['a/W'].tobytes())
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

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('save', [
    pickle.dump, lambda mine, file: np.save(file, np.array([mine])),
    lambda mine, file: np.savez(file, **{**entries(Net()), 'a/W': np.array([mine])})], ids=['bare', 'npy', 'npz'])
def test_pickles_are_not_run(tmp_path, path, save):
    with open(path, 'wb') as file:
        save(Mine(tmp_path / 'sprung'), file)
    assert 'not a complete .npz snapshot' in refused(path)
    assert os.listdir(tmp_path) == [path.name]
    loaded = np.load(path, allow_pickle=True)  # allowed to, NumPy runs it
    if isinstance(loaded, np.lib.npyio.NpzFile):
        with loaded:
            loaded['a/W']
    assert (tmp_path / 'sprung').exists()


def test_what_only_a_pickle_could_hold_is_not_written(path):
    net = Net()
    net.add_persistent('odd', np.array([{}]))
    with pytest.raises(ValueError, match='odd: expected numbers or text'):
        save_snapshot(path, net)
    assert os.listdir(path.parent) == []


# Version and digest

def test_digest_depends_on_every_name_type_shape_and_number():
    base = {'a': np.arange(4, dtype='f4'), 'b': np.array('text'), 'c': np.float32(3)}
    others = [{**base, 'a': base['a'].astype('f8')}, {**base, 'a': base['a'].reshape(2, 2)},
              {**base, 'a': base['a'][::-1]}, {**base, 'b': np.array('texs')}, {**base, 'c': np.float32(4)},
              {'d' if name == 'c' else name: value for name, value in base.items()}, {'a': base['a'], 'b': base['b']}]
    digests = [snapshots._digest(arrays) for arrays in [base, *others]]
    assert len(set(digests)) == len(digests)
    assert snapshots._digest(dict(reversed(base.items()))) == digests[0]


def test_another_array_under_a_right_checksum_of_its_own(saved):
    """As by a program that put an archive together anew: the digest alone tells."""
    with np.load(saved) as arrays, zipfile.ZipFile(saved) as archive:
        changed, comment = {**arrays, 'a/b': arrays['a/b'] + 1}, archive.comment
    np.savez(saved, **changed)
    with zipfile.ZipFile(saved, 'a') as archive:
        archive.comment = comment
    assert 'damaged: expected the SHA-256' in refused(saved)


@pytest.mark.parametrize('comment, expected', [
    ({'sngan_snapshot': 2}, 'expected a snapshot of version 1, found 2'),
    ({'sngan_snapshot': None}, 'version 1, found None'), ({'sha256': '0'}, 'damaged'), ({'sha256': None}, 'damaged'),
    *((content, 'its version and digest cannot be read') for content in (
        b'{"sngan_snapshot": 1}', b'{"sngan_snapshot": 1', b'["sngan_snapshot"]', b'\xff sngan_snapshot',
        b'"sngan_snapshot"' + b'[' * 50000))])
def test_other_versions_and_digests(saved, comment, expected):
    with zipfile.ZipFile(saved, 'a') as archive:
        said = json.loads(archive.comment)
        assert said.keys() == {'sngan_snapshot', 'sha256'} and len(said['sha256']) == 64
        archive.comment = comment if isinstance(comment, bytes) else json.dumps({**said, **comment}).encode()
    assert expected in refused(saved)
