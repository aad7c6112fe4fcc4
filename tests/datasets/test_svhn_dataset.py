import os

from source.datasets import svhn
from source.datasets.cached_download import cache_path
from source.datasets.svhn import SVHNDataset

import chainer
import numpy as np
import pytest
from scipy.io import savemat

COUNTS = {'train': 13, 'test': 11, 'extra': 12}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(svhn, 'FILES', {split: (n, 1) for split, n in COUNTS.items()})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def arrays(split):
    """X (32, 32, 3, n), y (n, 1) from 1 to 10, as MATLAB holds them."""
    n = COUNTS[split]
    return {'X': np.random.RandomState(n).randint(256, size=(32, 32, 3, n), dtype=np.uint8),
            'y': np.array([[i % 10 + 1] for i in range(n)], np.uint8)}


def write(folder, split, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / f'{split}_32x32.mat', {**arrays(split), **changes}, do_compression=True)


def check(dataset, split):
    X = arrays(split)['X']
    for i, (im, label) in enumerate(zip(dataset.ims, dataset.labels, strict=True)):
        np.testing.assert_array_equal(im, np.stack([X[:, :, c, i] for c in range(3)]))
        assert label == (i + 1) % 10
    assert (len(dataset), dataset.size, dataset.n_classes) == (COUNTS[split], 32, 10)


@pytest.mark.parametrize('split', COUNTS)
def test_mat_file(tmp_path, split):
    write(tmp_path, split)
    check(SVHNDataset(split, root=str(tmp_path)), split)


@pytest.mark.parametrize('split', ['train', 'test'])
def test_chainers_cache(cache, tmp_path, split, monkeypatch):
    """The .mat in the download cache, then the .npz that Chainer makes of it."""
    for name in ('train', 'test'):
        write(tmp_path, name)
        path = cache_path(f'{svhn.URL}{name}_32x32.mat')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(tmp_path / f'{name}_32x32.mat', path)
    check(SVHNDataset(split), split)
    chainer.datasets.get_svhn()
    os.remove(path)
    assert (cache / f'pfnet/chainer/svhn/{split}.npz').exists()
    check(SVHNDataset(split), split)


def test_download(cache, tmp_path, monkeypatch):
    write(tmp_path / 'server', 'test')
    monkeypatch.setattr(svhn, 'URL', (tmp_path / 'server').as_uri() + '/')
    with pytest.raises(ValueError, match='test_32x32.mat: expected 1 bytes, found'):
        SVHNDataset('test')
    monkeypatch.setattr(svhn, 'FILES', {
        'test': (COUNTS['test'], os.path.getsize(tmp_path / 'server/test_32x32.mat')), 'train': (1, 1)})
    check(SVHNDataset('test'), 'test')
    with pytest.raises(FileNotFoundError, match=r'SVHN is not in .* could not be fetched .*\(--data_dir\)'):
        SVHNDataset('train')


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected a folder with train_32x32.mat, found nothing'):
        SVHNDataset(root=str(tmp_path))
    path = tmp_path / 'train_32x32.mat'
    for content in (b'', b'no matrix at all, but text ' * 20):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="train_32x32.mat: expected MATLAB's X and y, found") as error:
            SVHNDataset(root=str(tmp_path))
        assert '\n' not in str(error.value)
    write(tmp_path, 'train')
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ValueError, match="train_32x32.mat: expected MATLAB's X and y, found"):
        SVHNDataset(root=str(tmp_path))
    write(tmp_path, 'train', X=np.zeros((32, 32, 3, 5), np.uint8))
    with pytest.raises(ValueError, match=r'images, uint8 \(32, 32, 3, 13\); found uint8 \(32, 32, 3, 5\)'):
        SVHNDataset(root=str(tmp_path))
    write(tmp_path, 'train', y=np.zeros((13, 1), np.uint8))
    with pytest.raises(ValueError, match='expected labels 1 to 10, found 0 to 0'):
        SVHNDataset(root=str(tmp_path))
    savemat(path, {'X': arrays('train')['X']})
    with pytest.raises(ValueError, match="KeyError: 'y'"):
        SVHNDataset(root=str(tmp_path))


def test_refuses_another_split():
    with pytest.raises(ValueError, match="split: expected one of train, test, extra, got 'valid'"):
        SVHNDataset('valid')
