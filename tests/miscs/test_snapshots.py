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


class AnotherNet(Net):
    pass


def entries(link):
    target = chainer.serializers.DictionarySerializer()
    target.save(link)
    return {k: np.array(v) for k, v in target.target.items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def refused(path, net):
    """The message; checks that the network stays as it was."""
    before = entries(net)
    with pytest.raises(SnapshotError) as caught:
        load_model(path, net)
    assert_equal(entries(net), before)
    message = str(caught.value)
    assert message.startswith(f'{path}: ')
    assert '\n' not in message
    return message


def used(net):
    net.b(net.a(np.random.RandomState(0).normal(size=(4, 2)).astype('f')))
    return net


def test_round_trip(tmp_path):
    net, other = used(Net()), Net()
    save_snapshot(tmp_path / 'net.npz', net)
    load_model(tmp_path / 'net.npz', other)
    assert_equal(entries(net), entries(other))
    assert entries(net)['b/avg_mean'].any()


def test_chainer_reads_ours_and_we_read_chainers(tmp_path):
    net, other = used(Net()), Net()
    save_snapshot(tmp_path / 'ours.npz', net)
    chainer.serializers.load_npz(tmp_path / 'ours.npz', other)
    assert_equal(entries(net), entries(other))
    chainer.serializers.save_npz(tmp_path / 'theirs.npz', net)
    other = Net()
    load_model(tmp_path / 'theirs.npz', other)
    assert_equal(entries(net), entries(other))


def test_parameters_without_a_shape_yet(tmp_path):
    """They are None, which is written without a pickle, and stays None."""
    lazy, other = L.Linear(None, 3), L.Linear(None, 3)
    save_snapshot(tmp_path / 'lazy.npz', lazy)
    with np.load(tmp_path / 'lazy.npz', allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    load_model(tmp_path / 'lazy.npz', other)
    assert other.W.array is None
    initialized = L.Linear(2, 3)
    save_snapshot(tmp_path / 'lazy.npz', initialized)
    load_model(tmp_path / 'lazy.npz', other)
    np.testing.assert_array_equal(other.W.array, initialized.W.array)


def test_interrupted_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'net.npz'
    save_snapshot(path, Net())
    before = path.read_bytes()

    def half(file, **arrays):
        file.write(b'half a snapshot')
        raise KeyboardInterrupt
    monkeypatch.setattr(snapshots.np, 'savez', half)
    with pytest.raises(KeyboardInterrupt):
        save_snapshot(path, Net())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ['net.npz']


def test_file_is_complete_when_it_appears(tmp_path, monkeypatch):
    seen = []
    replace = os.replace

    def look(source, target):
        seen.append((os.path.exists(target), zipfile.is_zipfile(source)))
        replace(source, target)
    monkeypatch.setattr(os, 'replace', look)
    save_snapshot(tmp_path / 'net.npz', Net())
    assert seen == [(False, True)]
    assert (tmp_path / 'net.npz').stat().st_mode & 0o777 == 0o644


# Another architecture: the first name, in alphabetical order, that differs, and both shapes

def test_other_shape(tmp_path):
    save_snapshot(tmp_path / 'net.npz', Net(width=4))
    assert 'a/W has shape (4, 2), but Net has (3, 2) there' in refused(tmp_path / 'net.npz', Net())


def test_other_shape_of_a_persistent_array(tmp_path):
    arrays = entries(Net())
    arrays['b/avg_var'] = np.zeros(7)
    np.savez(tmp_path / 'net.npz', **arrays)
    assert 'b/avg_var has shape (7,), but Net has (3,) there' in refused(tmp_path / 'net.npz', Net())


def test_missing_and_additional_parameters(tmp_path):
    save_snapshot(tmp_path / 'net.npz', Net())
    assert 'Net needs c/W (1, 3), which the file does not hold' in refused(tmp_path / 'net.npz', Net(extra=True))
    save_snapshot(tmp_path / 'net.npz', Net(extra=True))
    assert 'holds c/W (1, 3), which AnotherNet does not have' in refused(tmp_path / 'net.npz', AnotherNet())


def test_snapshot_of_training_given_for_a_model(tmp_path):
    np.savez(tmp_path / 'snapshot_iter_5', **{f'updater/model:opt_gen/{k}': v for k, v in entries(Net()).items()})
    message = refused(tmp_path / 'snapshot_iter_5.npz', Net())
    assert 'a snapshot of the whole training, not of Net; expected a file like Net_<iteration>.npz' in message


# Files that are no snapshot

@pytest.mark.parametrize('share', [0., .3, .9, .999])
def test_cut_short(tmp_path, share):
    path = tmp_path / 'net.npz'
    save_snapshot(path, Net())
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * share)])
    assert 'not a complete .npz snapshot' in refused(path, Net())


def test_flipped_bits(tmp_path):
    path = tmp_path / 'net.npz'
    net = Net()
    save_snapshot(path, net)
    content = path.read_bytes()
    start = content.index(net.a.W.array.tobytes())
    path.write_bytes(content[:start] + bytes([content[start] ^ 1]) + content[start + 1:])
    assert 'not a complete .npz snapshot' in refused(path, Net())


@pytest.mark.parametrize('content', [b'hello\n', b'\x80\x04\x95', b'PK\x03\x04 and nothing more', bytes(99)])
def test_other_files(tmp_path, content):
    (tmp_path / 'net.npz').write_bytes(content)
    message = refused(tmp_path / 'net.npz', Net())
    assert 'not a complete .npz snapshot' in message
    assert 'pickle' not in message


def test_missing_file_and_folder(tmp_path):
    assert 'no such snapshot' in refused(tmp_path / 'none.npz', Net())
    assert 'cannot be read: Is a directory' in refused(tmp_path, Net())


class Mine:
    """A pickle that makes a file where it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('make', ['bare', 'npy', 'npz'])
def test_pickles_are_not_run(tmp_path, make):
    sprung = tmp_path / 'sprung'
    path = tmp_path / 'net.npz'
    if make == 'bare':
        path.write_bytes(pickle.dumps(Mine(sprung)))
    elif make == 'npy':
        with open(path, 'wb') as file:
            np.save(file, np.array([Mine(sprung)], object))
    else:
        np.savez(path, **{**entries(Net()), 'a/W': np.array([Mine(sprung)], object)})
    assert 'not a complete .npz snapshot' in refused(path, Net())
    assert not sprung.exists()
    with open(path, 'rb') as file:  # and it was loaded: allowed to, NumPy runs it
        if make == 'npz':
            with np.load(file, allow_pickle=True) as arrays:
                arrays['a/W']
        else:
            np.load(file, allow_pickle=True)
    assert sprung.exists()


# Version and digest

def with_comment(path, **changes):
    with zipfile.ZipFile(path, 'a') as archive:
        archive.comment = json.dumps({**json.loads(archive.comment), **changes}).encode()


def test_version_and_digest_stand_in_the_file(tmp_path):
    save_snapshot(tmp_path / 'net.npz', Net())
    with zipfile.ZipFile(tmp_path / 'net.npz') as archive:
        said = json.loads(archive.comment)
    assert said.keys() == {'sngan_snapshot', 'sha256'}
    assert said['sngan_snapshot'] == 1
    assert len(said['sha256']) == 64


def test_digest_depends_on_every_name_type_shape_and_number():
    def digest(**arrays):
        return snapshots._digest(arrays)
    base = {'a': np.arange(4, dtype='f4'), 'b': np.array('text'), 'c': np.float32(3)}
    others = [{**base, 'a': base['a'].astype('f8')}, {**base, 'a': base['a'].reshape(2, 2)},
              {**base, 'a': base['a'][::-1]}, {**base, 'b': np.array('texs')}, {**base, 'c': np.float32(4)},
              {'d' if name == 'c' else name: value for name, value in base.items()}, {'a': base['a'], 'b': base['b']}]
    digests = [digest(**arrays) for arrays in [base, *others]]
    assert len(set(digests)) == len(digests)
    assert digest(**dict(reversed(base.items()))) == digests[0]


def test_another_array_under_a_right_checksum_of_its_own(tmp_path):
    """As by a program that put an archive together anew: the digest alone tells."""
    path = tmp_path / 'net.npz'
    save_snapshot(path, used(Net()))
    with np.load(path) as arrays, zipfile.ZipFile(path) as archive:
        changed, comment = {**arrays, 'a/b': arrays['a/b'] + 1}, archive.comment
    np.savez(path, **changed)
    with zipfile.ZipFile(path, 'a') as archive:
        archive.comment = comment
    assert 'damaged: expected the SHA-256' in refused(path, Net())


@pytest.mark.parametrize('changes, expected', [
    ({'sngan_snapshot': 2}, 'expected a snapshot of version 1, found 2'),
    ({'sngan_snapshot': None}, 'version 1, found None'), ({'sha256': '0'}, 'damaged'), ({'sha256': None}, 'damaged')])
def test_other_versions_and_digests(tmp_path, changes, expected):
    save_snapshot(tmp_path / 'net.npz', Net())
    with_comment(tmp_path / 'net.npz', **changes)
    assert expected in refused(tmp_path / 'net.npz', Net())


@pytest.mark.parametrize('comment', [b'{"sngan_snapshot": 1}', b'{"sngan_snapshot": 1', b'["sngan_snapshot"]',
                                     b'\xff sngan_snapshot', b'"sngan_snapshot"' + b'[' * 50000])
def test_comments_that_cannot_be_read(tmp_path, comment):
    save_snapshot(tmp_path / 'net.npz', Net())
    with zipfile.ZipFile(tmp_path / 'net.npz', 'a') as archive:
        archive.comment = comment
    assert 'its version and digest cannot be read' in refused(tmp_path / 'net.npz', Net())


def test_files_of_before_there_was_a_digest(tmp_path):
    net, other = used(Net()), Net()
    np.savez(tmp_path / 'net.npz', **entries(net))
    load_model(tmp_path / 'net.npz', other)
    assert_equal(entries(net), entries(other))


@pytest.mark.parametrize('array', [np.zeros((3, 2), complex), np.full((3, 2), 'text')])
def test_other_types(tmp_path, array):
    np.savez(tmp_path / 'net.npz', **{**entries(Net()), 'a/W': array})
    assert 'a/W is of type' in refused(tmp_path / 'net.npz', Net())


def test_what_only_a_pickle_could_hold_is_not_written(tmp_path):
    net = Net()
    net.add_persistent('odd', np.array([{}]))
    with pytest.raises(ValueError, match='odd: expected numbers or text'):
        save_snapshot(tmp_path / 'net.npz', net)
    assert os.listdir(tmp_path) == []
