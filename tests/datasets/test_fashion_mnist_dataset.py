import gzip
import os
import shutil
import struct

from source.datasets import fashion_mnist
from source.datasets.cached_download import cache_path
from source.datasets.fashion_mnist import FashionMNISTDataset

import chainer
import numpy as np
import pytest

COUNTS = {False: 30, True: 20}


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, '_n', COUNTS.get)
    monkeypatch.setattr(fashion_mnist, 'DEBIAN_FOLDER', str(tmp_path / 'usr/share'))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def arrays(test):
    n = COUNTS[test]
    return np.random.RandomState(n).randint(256, size=(n, 28, 28), dtype=np.uint8), np.arange(n, dtype=np.uint8) % 10


def idx(array):
    return struct.pack(f'>HBB{array.ndim}i', 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(folder, gzipped=True):
    folder.mkdir(parents=True, exist_ok=True)
    for test, kind in ((False, 'train'), (True, 't10k')):
        for array, name in zip(arrays(test), ('images-idx3-ubyte', 'labels-idx1-ubyte'), strict=True):
            content = idx(array)
            path = folder / f'{kind}-{name}{".gz" if gzipped else ""}'
            path.write_bytes(gzip.compress(content) if gzipped else content)


def check(dataset, test, size=32):
    ims, labels = arrays(test)
    margin = (size - 28) // 2
    assert dataset.ims.shape == (COUNTS[test], 3, size, size)
    for c in range(3):
        np.testing.assert_array_equal(dataset.ims[:, c, margin:size - margin, margin:size - margin], ims)
    assert dataset.ims.sum() == 3 * ims.sum(dtype=int)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert dataset.n_classes == 10


@pytest.mark.parametrize('test', [False, True])
@pytest.mark.parametrize('gzipped', [False, True])
@pytest.mark.parametrize('inside', ['', 'fashion-mnist', 'FashionMNIST/raw'])
def test_folder(tmp_path, test, gzipped, inside):
    write(tmp_path / inside, gzipped)
    check(FashionMNISTDataset(test, root=str(tmp_path)), test)


@pytest.mark.parametrize('size', [28, 48])
def test_size(tmp_path, size):
    write(tmp_path)
    check(FashionMNISTDataset(True, size, root=str(tmp_path)), True, size)


def test_debians_package(tmp_path, cache):
    write(tmp_path / 'usr/share')
    check(FashionMNISTDataset(), False)


@pytest.mark.parametrize('test', [False, True])
def test_chainers_cache(tmp_path, cache, test):
    """The gzipped files under the names of their addresses, then the .npz that Chainer makes of them, which wins."""
    write(tmp_path)
    os.makedirs(cache / '_dl_cache')
    for name in fashion_mnist.BYTES:
        shutil.copy(tmp_path / name, cache_path(fashion_mnist.URL + name))
    check(FashionMNISTDataset(test), test)
    chainer.datasets.get_fashion_mnist()
    shutil.rmtree(cache / '_dl_cache')
    check(FashionMNISTDataset(test), test)


def test_download(tmp_path, cache, monkeypatch):
    write(tmp_path / 'server')
    monkeypatch.setattr(fashion_mnist, 'URL', (tmp_path / 'server').as_uri() + '/')
    with pytest.raises(ValueError, match='expected 26421880 bytes, found'):
        FashionMNISTDataset()
    monkeypatch.setattr(fashion_mnist, 'BYTES', {
        name: os.path.getsize(tmp_path / 'server' / name) for name in fashion_mnist.BYTES})
    check(FashionMNISTDataset(), False)
    monkeypatch.setattr(fashion_mnist, 'URL', (tmp_path / 'nowhere').as_uri() + '/')
    with pytest.raises(FileNotFoundError, match=r'Fashion-MNIST is not in .* could not be fetched .*\(--data_dir\)'):
        FashionMNISTDataset()


IMS, LABELS = arrays(True)


@pytest.mark.parametrize('name, content, message', [
    ('images-idx3', gzip.compress(idx(IMS))[:-99], 'gzipped idx file, found .* bytes that cannot be unpacked'),
    ('images-idx3', b'', 'idx file of bytes with 3 axes, found one that begins with nothing'),
    ('images-idx3', gzip.compress(idx(LABELS)), 'idx file of bytes with 3 axes, found one that begins 00 00 08 01'),
    ('images-idx3', gzip.compress(idx(IMS)[:-1]), r'\(20, 28, 28\) bytes after the header, found 15679'),
    ('images-idx3', gzip.compress(idx(IMS[:5])), r'images, uint8 \(20, 28, 28\); found uint8 \(5, 28, 28\)'),
    ('labels-idx1', gzip.compress(idx(LABELS[:5])), r'labels, uint8 \(20\); found uint8 \(5,\)'),
    ('labels-idx1', gzip.compress(idx(LABELS + 1)), 'labels 0 to 9, found 1 to 10'),
])
def test_bad_files(tmp_path, name, content, message):
    write(tmp_path)
    (tmp_path / f't10k-{name}-ubyte.gz').write_bytes(content)
    with pytest.raises(ValueError, match=f't10k-{name}-ubyte.gz: expected .*{message}') as error:
        FashionMNISTDataset(True, root=str(tmp_path))
    assert '\n' not in str(error.value)


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected a folder with t10k-images-idx3-ubyte.gz and .*found nothing'):
        FashionMNISTDataset(True, root=str(tmp_path))
    write(tmp_path)
    (tmp_path / 't10k-labels-idx1-ubyte.gz').unlink()
    with pytest.raises(FileNotFoundError, match='t10k-labels-idx1-ubyte.gz: expected it beside t10k-images'):
        FashionMNISTDataset(True, root=str(tmp_path))


@pytest.mark.parametrize('size', [27, 31, 0])
def test_refuses_sizes(size):
    with pytest.raises(ValueError, match=f'size: expected an even number from 28 px, got {size}'):
        FashionMNISTDataset(size=size)
