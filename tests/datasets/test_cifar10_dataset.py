import os
import pickle
import shutil

from source.datasets import cached_download
from source.datasets.cifar10 import CIFAR10Dataset

import chainer
import numpy as np
import pytest

CACHED_NAME = 'f2751d3a22ccb78db0e07874912b5c43'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def check(dataset, cifar10_files, test):
    ims, labels = cifar10_files.arrays(['test_batch'] if test else cifar10_files.names[:5])
    np.testing.assert_array_equal(dataset.ims, ims)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert (dataset.ims.dtype, dataset.labels.dtype) == (np.uint8, np.int32)
    assert (dataset.n_classes, dataset.size, len(dataset)) == (10, 32, 10000 if test else 50000)


@pytest.mark.parametrize('test', [False, True])
def test_archive_in_root(cifar10_folder, cifar10_files, test):
    check(CIFAR10Dataset(test=test, root=str(cifar10_folder)), cifar10_files, test)


@pytest.mark.parametrize('inside', ['', 'cifar-10-batches-py'])
def test_unpacked_batches(tmp_path, cifar10_files, inside):
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    for name, content in cifar10_files.batches.items():
        (folder / name).write_bytes(content)
    if inside:
        check(CIFAR10Dataset(root=str(tmp_path)), cifar10_files, test=False)
    (folder / 'data_batch_3').unlink()
    check(CIFAR10Dataset(test=True, root=str(tmp_path)), cifar10_files, test=True)
    with pytest.raises(FileNotFoundError, match='data_batch_3: expected a batch'):
        CIFAR10Dataset(root=str(tmp_path))


def test_chainers_cache(cache, cifar10_folder, cifar10_files):
    (cache / '_dl_cache').mkdir(parents=True)
    shutil.copy(cifar10_folder / 'cifar-10-python.tar.gz', cache / '_dl_cache' / CACHED_NAME)
    check(CIFAR10Dataset(test=True), cifar10_files, test=True)
    chainer.datasets.get_cifar10()  # what Chainer makes of the same archive, converted to its .npz
    os.remove(cache / '_dl_cache' / CACHED_NAME)
    assert (cache / 'pfnet/chainer/cifar/cifar-10.npz').exists()
    check(CIFAR10Dataset(test=True), cifar10_files, test=True)
    check(CIFAR10Dataset(), cifar10_files, test=False)


def test_converted_npz_wins(cache, cifar10_folder):
    (cache / '_dl_cache').mkdir(parents=True)
    shutil.copy(cifar10_folder / 'cifar-10-python.tar.gz', cache / '_dl_cache' / CACHED_NAME)
    npz = cache / 'pfnet/chainer/cifar/cifar-10.npz'
    npz.parent.mkdir(parents=True)
    np.savez(npz, test_x=np.full((10000, 3072), 77, np.uint8), test_y=np.full(10000, 3, np.uint8))
    dataset = CIFAR10Dataset(test=True)
    assert (dataset.ims == 77).all() and (dataset.labels == 3).all()
    with pytest.raises(ValueError, match="cifar-10.npz: expected Chainer's train_x and train_y, found no 'train_x'"):
        CIFAR10Dataset()


def test_downloads_where_there_is_none(cache, cifar10_folder, cifar10_files, monkeypatch):
    archive = cifar10_folder / 'cifar-10-python.tar.gz'
    monkeypatch.setattr('source.datasets.cifar10.ARCHIVE_URL', archive.as_uri())
    with pytest.raises(ValueError, match='expected 170498071 bytes, found'):
        CIFAR10Dataset(test=True)
    monkeypatch.setattr('source.datasets.cifar10.ARCHIVE_BYTES', archive.stat().st_size)
    check(CIFAR10Dataset(test=True), cifar10_files, test=True)
    assert os.path.exists(cached_download.cache_path(archive.as_uri()))


def test_no_network(cache, monkeypatch, tmp_path):
    monkeypatch.setattr('source.datasets.cifar10.ARCHIVE_URL', (tmp_path / 'nowhere').as_uri())
    with pytest.raises(FileNotFoundError, match=r'cifar-10\.npz nor .*could not be fetched .*\(--data_dir\)'):
        CIFAR10Dataset()


def test_root_without_cifar10(tmp_path):
    with pytest.raises(FileNotFoundError, match='found nothing'):
        CIFAR10Dataset(root=str(tmp_path))
    (tmp_path / 'n01440764').mkdir()
    with pytest.raises(FileNotFoundError, match=r'cifar-10-python.tar.gz or cifar-10-batches-py/, found n01440764'):
        CIFAR10Dataset(root=str(tmp_path))
    with pytest.raises(FileNotFoundError, match='not-there: expected a folder .* found no such folder'):
        CIFAR10Dataset(root=str(tmp_path / 'not-there'))


@pytest.mark.parametrize('kept', [0, 1000, 0.5, 0.999])
def test_cut_archive(cifar10_folder, tmp_path, kept):
    content = (cifar10_folder / 'cifar-10-python.tar.gz').read_bytes()
    cut = content[:kept if isinstance(kept, int) else int(len(content) * kept)]
    (tmp_path / 'cifar-10-python.tar.gz').write_bytes(cut)
    with pytest.raises(ValueError, match='cifar-10-python.tar.gz.*expected.*found') as error:
        CIFAR10Dataset(root=str(tmp_path))
    assert '\n' not in str(error.value)


def test_archive_lacks_a_batch(cifar10_files, tmp_path):
    cifar10_files.write_archive(tmp_path / 'cifar-10-python.tar.gz', names=['data_batch_1', 'data_batch_2'])
    with pytest.raises(ValueError, match='expected .*data_batch_5, found data_batch_1, data_batch_2'):
        CIFAR10Dataset(root=str(tmp_path))


IMS = np.zeros((10000, 3072), np.uint8)


class _Command:
    def __reduce__(self):
        return os.mkdir, ('made-by-a-pickle',)


@pytest.mark.parametrize('batch, message', [
    ({'data': IMS[:99], 'labels': [0] * 99}, r'images of shape \(10000, 3072\), integers; found uint8 \(99, 3072\)'),
    ({'data': IMS, 'labels': [0] * 99}, r'labels of shape \(10000,\), integers; found int64 \(99,\)'),
    ({'data': IMS, 'labels': [10] * 10000}, 'labels 0 to 9, found uint8 and labels 10 to 10'),
    ({'data': IMS, 'labels': [.5] * 10000}, 'labels of shape .* found float64'),
    ({'data': IMS.astype(np.int16), 'labels': [0] * 10000}, 'uint8 images and labels 0 to 9, found int16'),
    ({'data': 'text', 'labels': [0] * 10000}, 'images of shape .* found str'),
    ({'data': IMS, 'fine_labels': [0] * 10000}, "a pickle with 'data' and 'labels', found KeyError"),
    ([1, 2], "a pickle with 'data' and 'labels', found TypeError"),
    (_Command(), r'found UnpicklingError: it asks for \w+\.mkdir'),
])
def test_what_is_not_a_batch(tmp_path, monkeypatch, batch, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'test_batch').write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(ValueError, match='test_batch: expected .*' + message):
        CIFAR10Dataset(test=True, root=str(tmp_path))
    assert os.listdir(tmp_path) == ['test_batch']
