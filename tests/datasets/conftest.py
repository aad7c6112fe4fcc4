"""Data that several tests read: CIFAR-10 as its authors packed it, and a small ImageNet with what is prepared of it.

CIFAR-10's are the bytes that Python 2's cPickle and NumPy 1 wrote, opcode by opcode.
"""
import io
import struct
import tarfile

from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, arguments_of, write_tree
from tests.narrow import run

import numpy as np
import pytest


def _dump_python2_batch(label, labels, data, filenames):
    items = [(b'batch_label', _string(label)), (b'labels', _list(_integer(k) for k in labels)),
             (b'data', _array(data)), (b'filenames', _list(_string(name) for name in filenames))]
    return b'\x80\x02}(' + b''.join(_string(key) + value for key, value in items) + b'u.'


def _string(text):
    return (b'U' + struct.pack('<B', len(text)) if len(text) < 256 else b'T' + struct.pack('<i', len(text))) + text


def _integer(value):
    return b'K' + struct.pack('<B', value) if value < 256 else b'M' + struct.pack('<H', value)


def _list(values):
    return b'](' + b''.join(values) + b'e'


def _array(array):
    rows, columns = array.shape
    dtype = b'cnumpy\ndtype\n' + _string(b'u1') + b'K\x00K\x01\x87R(K\x03' + _string(b'|') + b'NNN'
    dtype += b'J\xff\xff\xff\xff' * 2 + b'K\x00tb'
    empty = b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85' + _string(b'b') + b'\x87R'
    shape = _integer(rows) + _integer(columns) + b'\x86'
    return empty + b'(K\x01' + shape + dtype + b'\x89' + _string(array.tobytes()) + b'tb'


@pytest.fixture
def dump_python2_batch():
    return _dump_python2_batch


class CIFAR10Files:
    """Batch k (6: test) holds images of red k, green i % 10, blue the row; image i has the label (i + k) % 10."""

    names = [f'data_batch_{k}' for k in range(1, 6)] + ['test_batch']

    def __init__(self):
        self.batches = {name: self._batch(k) for k, name in enumerate(self.names, 1)}

    def arrays(self, names):
        pairs = [self.images_and_labels(1 + self.names.index(name)) for name in names]
        return tuple(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))

    @staticmethod
    def images_and_labels(k):
        i = np.arange(10000)
        ims = np.empty((10000, 3, 32, 32), np.uint8)
        ims[:, 0], ims[:, 1], ims[:, 2] = k, (i % 10)[:, None, None], np.arange(32)[:, None]
        return ims, (i + k) % 10

    def write_archive(self, path, names=None, folder='cifar-10-batches-py'):
        with tarfile.open(path, 'w:gz', compresslevel=1) as archive:
            for name in names or ['batches.meta', *reversed(self.names)]:
                content = self.batches.get(name, b'')
                member = tarfile.TarInfo(f'{folder}/{name}')
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    def _batch(self, k):
        ims, labels = self.images_and_labels(k)
        return _dump_python2_batch(b'training batch %d of 5' % k, labels, ims.reshape(10000, 3072), [b'a.png'] * 10000)


@pytest.fixture(scope='session')
def cifar10_files():
    return CIFAR10Files()


@pytest.fixture(scope='session')
def cifar10_folder(cifar10_files, tmp_path_factory):
    folder = tmp_path_factory.mktemp('cifar10')
    cifar10_files.write_archive(folder / 'cifar-10-python.tar.gz')
    return folder


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """(folder of the raw images, the names that can be read, those that cannot)."""
    root = tmp_path_factory.mktemp('ILSVRC2012') / 'train'
    names, unreadable = write_tree(root)
    (root / WNIDS[1] / 'Thumbs.db').write_bytes(b'\0')
    (root / 'readme.txt').write_text('x')
    return root, names, unreadable


@pytest.fixture(scope='module')
def prepared(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    assert run(main, *arguments_of(tree, out, 2)) == 0
    return out
