"""CIFAR-10, STL-10, SVHN and Fashion-MNIST in every form in which a user may have them; here of a few images each."""
import gzip
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from source.datasets import cifar10, fashion_mnist, stl10, svhn
from source.datasets.cached_download import cache_path, no_downloads
from tests.datasets.writers import idx, pixels, python2_batch, saved, tar_gz

import chainer
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

STL10_COUNTS = {'unlabeled': 7, 'train': 5, 'test': 4}
SVHN_COUNTS = {'train': 13, 'test': 11, 'extra': 12}


def labels_of(n):
    return (np.arange(n, dtype=np.uint8) + 3) % 10


# What is expected of each data set, of its arguments with their defaults, and its files

def expected_cifar10(test=False):
    ims = pixels(36, 3, 32, 32)
    return (ims[30:], labels_of(36)[30:]) if test else (ims[:30], labels_of(36)[:30])


CIFAR10_FILES = {name: python2_batch(pixels(36, 3072)[k:k + 6], labels_of(36)[k:k + 6]) for k, name in zip(
    range(0, 36, 6), [*cifar10.TRAIN_BATCHES, *cifar10.TEST_BATCHES], strict=True)}


def expected_stl10(split='unlabeled', size=48):
    n = STL10_COUNTS[split]
    reduced = [Image.fromarray(im).resize((size, size), Image.Resampling.BILINEAR) for im in pixels(n, 96, 96, 3)]
    return np.stack([np.asarray(im) for im in reduced]).transpose(0, 3, 1, 2), labels_of(n) * (split != 'unlabeled')


# As the data set's page says: one byte a value, channel by channel, each channel column by column.
STL10_FILES = {**{f'{split}_y.bin': (labels_of(STL10_COUNTS[split]) + 1).tobytes() for split in ('train', 'test')},
               **{f'{split}_X.bin': pixels(n, 96, 96, 3).transpose(0, 3, 2, 1).tobytes()
                  for split, n in STL10_COUNTS.items()}}


def expected_svhn(split='train'):
    return pixels(SVHN_COUNTS[split], 3, 32, 32), labels_of(SVHN_COUNTS[split])


def mat(**arrays):
    return saved(savemat, arrays, do_compression=True)


# X (32, 32, 3, n), y (n, 1) from 1 to 10, as MATLAB holds them.
SVHN_FILES = {f'{split}_32x32.mat': mat(X=pixels(n, 3, 32, 32).transpose(2, 3, 1, 0),
                                        y=(labels_of(n)[:, None] + 9) % 10 + 1) for split, n in SVHN_COUNTS.items()}


def expected_fashion_mnist(test=False, size=32, channels=3):
    n, margin = 20 if test else 30, (size - 28) // 2
    ims = np.zeros((n, channels, size, size), np.uint8)
    ims[:, :, margin:size - margin, margin:size - margin] = pixels(n, 28, 28)[:, None]
    return ims, labels_of(n)


FASHION_MNIST_FILES = {
    f'{kind}-{name}-ubyte.gz': gzip.compress(idx(array)) for kind, n in (('train', 30), ('t10k', 20))
    for name, array in (('images-idx3', pixels(n, 28, 28)), ('labels-idx1', labels_of(n)))}


@dataclass
class Published:
    """`files` may lie in any of `folders` or, within the last of these, in `archive`."""
    cls: type
    module: ModuleType
    expected: Callable  # of the arguments of `cls`
    files: dict
    folders: list
    archive: str = None

    def forms(self):
        """{path: content} of each form in which a folder may hold it."""
        forms = [{f'{folder}{name}': content for name, content in self.files.items()} for folder in self.folders]
        return [*forms, self.served()] if self.archive else forms

    def served(self):
        return {self.archive: self.packed(reversed(self.files))} if self.archive else self.files

    def packed(self, names):
        return tar_gz({'readme': b'', **{self.folders[-1] + name: self.files[name] for name in names}})


SETS = {
    'CIFAR-10': Published(cifar10.CIFAR10Dataset, cifar10, expected_cifar10, CIFAR10_FILES,
                          ['', 'cifar-10-batches-py/'], 'cifar-10-python.tar.gz'),
    'STL-10': Published(stl10.STL10Dataset, stl10, expected_stl10, STL10_FILES, ['', 'stl10_binary/'],
                        'stl10_binary.tar.gz'),
    'SVHN': Published(svhn.SVHNDataset, svhn, expected_svhn, SVHN_FILES, ['']),
    'Fashion-MNIST': Published(fashion_mnist.FashionMNISTDataset, fashion_mnist, expected_fashion_mnist,
                               FASHION_MNIST_FILES, ['', 'fashion-mnist/', 'FashionMNIST/raw/'])}


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Files of a few images are whole; the cache is empty, and where it is, returned."""
    for module, name, value in (
            (cifar10, 'BATCH_SIZE', 6), (stl10, 'SPLITS', STL10_COUNTS), (stl10, 'CHUNK', 3),
            *((SETS[name].module, 'ARCHIVE_BYTES', len(SETS[name].served()[SETS[name].archive]))
              for name in ('CIFAR-10', 'STL-10')),
            (svhn, 'FILES', {split: (n, len(SVHN_FILES[f'{split}_32x32.mat'])) for split, n in SVHN_COUNTS.items()}),
            (fashion_mnist, 'N_OF_CLASS', {'train': (3,) * 10, 't10k': (2,) * 10}),
            (fashion_mnist, 'BYTES', {name: len(content) for name, content in FASHION_MNIST_FILES.items()}),
            (fashion_mnist, 'DEBIAN_FOLDER', str(tmp_path / 'debian')),
            (chainer.dataset.download, '_dataset_root', str(tmp_path / 'cache'))):
        monkeypatch.setattr(module, name, value)
    return tmp_path / 'cache'


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def check(name, root=None, **arguments):
    dataset = SETS[name].cls(root=root, **arguments)
    ims, labels = SETS[name].expected(**arguments)
    np.testing.assert_array_equal(dataset.ims, ims)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert (dataset.ims.dtype, dataset.labels.dtype, len(dataset)) == (np.uint8, np.int32, len(labels))
    assert (dataset.size, dataset.n_classes) == (ims.shape[-1], 10 if labels.any() else 1)


@pytest.mark.parametrize('name, arguments', [
    ('CIFAR-10', {}), ('CIFAR-10', {'test': True}), ('STL-10', {}), ('STL-10', {'split': 'train', 'size': 32}),
    ('STL-10', {'split': 'test', 'size': 96}), ('SVHN', {}), ('SVHN', {'split': 'test'}), ('SVHN', {'split': 'extra'}),
    ('Fashion-MNIST', {}), ('Fashion-MNIST', {'test': True, 'size': 28}), ('Fashion-MNIST', {'size': 48}),
    ('Fashion-MNIST', {'channels': 1})])
def test_every_form(few, tmp_path, name, arguments):
    for k, files in enumerate(SETS[name].forms()):
        check(name, write(tmp_path / str(k), files), **arguments)


def test_unzipped_fashion_mnist_and_debians(few, tmp_path):
    unzipped = {name.removesuffix('.gz'): gzip.decompress(f) for name, f in FASHION_MNIST_FILES.items()}
    check('Fashion-MNIST', write(tmp_path, unzipped))
    write(tmp_path / 'debian', FASHION_MNIST_FILES)
    check('Fashion-MNIST')


@pytest.mark.parametrize('name', SETS)
def test_download(few, tmp_path, monkeypatch, capsys, name):
    """Into the cache, of whole files alone; from there when the server is gone."""
    module, server = SETS[name].module, tmp_path / 'server'
    of_archive = SETS[name].archive is not None
    address = f'{server.as_uri()}/{SETS[name].archive if of_archive else ""}'
    monkeypatch.setattr(module, 'ARCHIVE_URL' if of_archive else 'URL', address)
    with pytest.raises(FileNotFoundError, match=rf'{name} is (not in|neither at) .* could not be fetched .*; expected '
                                                rf'\S+ in a folder given as root \(--data_dir\)'):
        SETS[name].cls()
    write(server, {path: content[:-1] for path, content in SETS[name].served().items()})
    with pytest.raises(ValueError, match=r': expected (\d+) bytes, found \d+$'):
        SETS[name].cls()
    assert not any(path.is_file() for path in few.rglob('*'))
    write(server, SETS[name].served())
    check(name)
    assert f'downloading {address}' in capsys.readouterr().err
    shutil.rmtree(server)
    with no_downloads() as needed:
        check(name)
    assert needed == [] and capsys.readouterr().err == ''


@pytest.mark.parametrize('name, get', [
    ('SVHN', chainer.datasets.get_svhn), ('Fashion-MNIST', chainer.datasets.get_fashion_mnist)])
def test_what_chainer_cached(few, tmp_path, name, get):
    """The files under the names of their addresses, then the .npz that Chainer makes of them."""
    for path, content in SETS[name].files.items():
        write(few, {cache_path(SETS[name].module.URL + path): content})
    check(name)
    get()
    shutil.rmtree(few / '_dl_cache')
    check(name)
    check(name, **({'split': 'test'} if name == 'SVHN' else {'test': True}))


def test_converted_npz_of_cifar10_wins(few):
    path = few / 'pfnet/chainer/cifar/cifar-10.npz'
    path.parent.mkdir(parents=True)
    ims, labels = expected_cifar10(test=True)
    np.savez(path, test_x=ims.reshape(6, 3072), test_y=labels)
    check('CIFAR-10', test=True)
    with pytest.raises(ValueError, match="cifar-10.npz: expected Chainer's train_x and train_y, found no 'train_x'"):
        cifar10.CIFAR10Dataset()


def test_figures_are_as_published():
    assert [len(of.cls.names_of({'split': 'train'})) for of in SETS.values()] == [10] * 4
    assert (cifar10.BATCH_SIZE, cifar10.ARCHIVE_BYTES) == (10000, 170498071)
    assert (stl10.SPLITS, stl10.ARCHIVE_BYTES) == ({'unlabeled': 100000, 'train': 5000, 'test': 8000}, 2640397119)
    assert svhn.FILES == {'train': (73257, 182040794), 'test': (26032, 64275384), 'extra': (531131, 1329278602)}
    assert fashion_mnist.N_OF_CLASS == {'train': (6000,) * 10, 't10k': (1000,) * 10}
    assert list(fashion_mnist.BYTES.values()) == [26421880, 29515, 4422102, 5148]
    assert cache_path(cifar10.ARCHIVE_URL).endswith('_dl_cache/f2751d3a22ccb78db0e07874912b5c43')


@pytest.mark.parametrize('name, wanted', [
    ('CIFAR-10', 'cifar-10-python.tar.gz or cifar-10-batches-py/'), ('SVHN', 'train_32x32.mat'),
    ('STL-10', 'stl10_binary.tar.gz or stl10_binary/'),
    ('Fashion-MNIST', 'train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz')])
def test_a_folder_without_it(tmp_path, name, wanted):
    write(tmp_path / 'full', dict.fromkeys('abcdef', b''))
    (tmp_path / 'empty').mkdir()
    for root, found in (('empty', 'nothing'), ('none', 'no such folder'), ('full', 'a, b, c, d, e')):
        expected = f'{tmp_path}/{root}: expected a folder with {wanted}, found {found}'
        with pytest.raises(FileNotFoundError, match=f'^{expected}$'):
            SETS[name].cls(root=str(tmp_path / root))


CIFAR10_IMS, X, Y = np.zeros((6, 3072), np.uint8), np.zeros((32, 32, 3, 13), np.uint8), np.ones((13, 1), np.uint8)
IMS, LABELS = pixels(20, 28, 28), labels_of(20)
T10K, T10K_IMAGES, T10K_LABELS = {'test': True}, 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'


def batch(data=CIFAR10_IMS, **labels):
    return pickle.dumps({'data': data, **(labels or {'labels': [0] * 6})}, 2)


DAMAGES = [  # of a data set with some arguments: what a file holds, None where there is none; the message
    *((name, {}, SETS[name].archive, SETS[name].served()[SETS[name].archive][:end], message)
      for name in ('CIFAR-10', 'STL-10')
      for end, message in ((0, r'.* \(ReadError'), (9999, '.*EOFError'), (-400, '.*EOFError'))),
    ('CIFAR-10', {}, 'cifar-10-python.tar.gz', SETS['CIFAR-10'].packed(['data_batch_1', 'data_batch_2']),
     '.* data_batch_5, found data_batch_1, data_batch_2$'),
    ('STL-10', {}, 'stl10_binary.tar.gz', SETS['STL-10'].packed(['train_X.bin']), '.* of 193536 bytes, found none$'),
    ('CIFAR-10', {}, 'data_batch_3', None, 'expected a batch of 6 CIFAR-10 images, found no file'),
    ('CIFAR-10', {}, 'data_batch_1', batch(CIFAR10_IMS[:5]),
     r'images of shape \(6, 3072\), integers; found uint8 \(5, 3072\)'),
    ('CIFAR-10', {}, 'data_batch_1', batch(labels=[0] * 5), r'labels of shape \(6,\), integers; found int64 \(5,\)'),
    ('CIFAR-10', {}, 'data_batch_1', batch(labels=[10] * 6), 'labels 0 to 9, found uint8 and labels 10 to 10'),
    ('CIFAR-10', {}, 'data_batch_1', batch(labels=[-1] * 6), 'labels 0 to 9, found uint8 and labels -1 to -1'),
    ('CIFAR-10', {}, 'data_batch_1', batch(labels=[.5] * 6), 'labels of shape .* found float64'),
    ('CIFAR-10', {}, 'data_batch_1', batch(CIFAR10_IMS.astype(np.int16)), 'uint8 images .*, found int16'),
    ('CIFAR-10', {}, 'data_batch_1', batch('text'), 'images of shape .* found str'),
    ('CIFAR-10', {}, 'data_batch_1', batch(fine=[0]), "a pickle with 'data' and 'labels', found KeyError"),
    ('CIFAR-10', {}, 'data_batch_1', pickle.dumps(print), r'found .*builtins\.print; only numpy arrays'),
    ('CIFAR-10', {}, 'data_batch_1', pickle.dumps(np.save), r'found .*numpy\.save; only numpy arrays'),
    ('STL-10', {}, 'unlabeled_X.bin', None, 'expected a file of 193536 bytes, found none'),
    ('STL-10', {'split': 'train'}, 'train_X.bin', b'\0' * 100, 'expected 138240 bytes, found 100'),
    ('STL-10', {'split': 'test'}, 'test_y.bin', b'\1\2\3\x0b', 'expected labels 1 to 10, found 1 to 11'),
    ('SVHN', {}, 'train_32x32.mat', SETS['SVHN'].files['train_32x32.mat'][:-500], "expected MATLAB's X and y, found"),
    ('SVHN', {}, 'train_32x32.mat', mat(X=X), r"not \(KeyError: 'y'\)"),
    ('SVHN', {}, 'train_32x32.mat', mat(X=X[..., :5], y=Y),
     r'images, uint8 \(32, 32, 3, 13\); found uint8 \(32, 32, 3, 5\)'),
    ('SVHN', {}, 'train_32x32.mat', mat(X=X, y=Y * 0), 'expected labels 1 to 10, found 0 to 0'),
    ('Fashion-MNIST', T10K, T10K_LABELS, None, 'expected it beside t10k-images-idx3-ubyte.gz, found no file'),
    ('Fashion-MNIST', T10K, T10K_IMAGES, gzip.compress(idx(IMS))[:-99],
     'gzipped idx file, found .* bytes that cannot be unpacked'),
    ('Fashion-MNIST', T10K, T10K_IMAGES, b'', 'idx file of bytes with 3 axes, found one that begins with nothing'),
    ('Fashion-MNIST', T10K, T10K_IMAGES, idx(LABELS), 'with 3 axes, found one that begins 00 00 08 01'),
    ('Fashion-MNIST', T10K, T10K_IMAGES, idx(IMS)[:-1], r'\(20, 28, 28\) bytes after the header, found 15679'),
    ('Fashion-MNIST', T10K, T10K_IMAGES, idx(IMS[:5]), r'images, uint8 \(20, 28, 28\); found uint8 \(5, 28, 28\)'),
    ('Fashion-MNIST', T10K, T10K_LABELS, idx(LABELS[:5]), r'labels, uint8 \(20\); found uint8 \(5,\)'),
    ('Fashion-MNIST', T10K, T10K_LABELS, idx(LABELS + 1), 'labels 0 to 9, found 1 to 10')]


@pytest.mark.parametrize('name, arguments, path, content, message', DAMAGES, ids=range(len(DAMAGES)))
def test_damaged_files_are_named(few, tmp_path, name, arguments, path, content, message):
    files = {path: content} if path == SETS[name].archive else {**SETS[name].files, path: content}
    write(tmp_path, {file: held for file, held in files.items() if held is not None})
    with pytest.raises(FileNotFoundError if content is None else ValueError,
                       match=rf'^\S*{path}(:\S+)?: (expected .*)?{message}[^\n]*\Z'):
        SETS[name].cls(root=str(tmp_path), **arguments)
