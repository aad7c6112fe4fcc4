"""Data that several tests read: batches of CIFAR-10 as their authors packed them, and a small ImageNet, prepared.

The batches are the bytes that Python 2's cPickle and NumPy 1 wrote, opcode by opcode.
"""
import struct

from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, arguments_of, write_tree
from tests.narrow import run

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


@pytest.fixture(scope='session')
def tree(tmp_path_factory):
    """(folder of the raw images, the names that can be read, those that cannot)."""
    root = tmp_path_factory.mktemp('ILSVRC2012') / 'train'
    names, unreadable = write_tree(root)
    (root / WNIDS[1] / 'Thumbs.db').write_bytes(b'\0')
    (root / 'readme.txt').write_text('x')
    return root, names, unreadable


@pytest.fixture(scope='session')
def prepared(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    assert run(main, *arguments_of(tree, out, 2)) == 0
    return out
