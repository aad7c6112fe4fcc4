import io
import zipfile

from source.miscs.plain_npz import read_plain_npz

import numpy as np
import pytest

ARRAYS = {'a': np.arange(6, dtype='f4').reshape(2, 3), 'b': np.array(5), 'c': np.zeros((0, 3)), 'd': np.array('text'),
          'e': np.asfortranarray(np.arange(6.).reshape(2, 3))}


def write(path, shape=(8,), compression=zipfile.ZIP_STORED):
    """An .npz of an array of 64 bytes, whose header says what it is told to."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {'descr': '<f8', 'fortran_order': False, 'shape': shape})
    with zipfile.ZipFile(path, 'w', compression) as archive:
        archive.writestr('ims.npy', header.getvalue() + bytes(64))


def refused(path):
    with pytest.raises(ValueError) as error:
        read_plain_npz(path, 'file of images')
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message
    return message


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_reads(tmp_path, save):
    save(tmp_path / 'a.npz', **ARRAYS)
    read = read_plain_npz(tmp_path / 'a.npz', 'file')
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array, strict=True)
    assert list(read_plain_npz(tmp_path / 'a.npz', 'file', names={'b', 'z'})) == ['b']


def test_refuses_another_size_than_there_is(tmp_path):
    for shape in ((10 ** 13,), (10 ** 30,), (-1,), (7,), (9,), (2 ** 32, 2 ** 32), (0, 10 ** 30)):
        write(tmp_path / 'a.npz', shape)
        refused(tmp_path / 'a.npz')


def test_refuses_objects_and_what_is_no_array(tmp_path):
    np.savez(tmp_path / 'a.npz', a=np.array([{}]))
    assert 'allow_pickle' in refused(tmp_path / 'a.npz')
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('ims.npy', b'text')
        archive.writestr('notes.txt', b'text')
    refused(tmp_path / 'a.npz')


@pytest.mark.parametrize('compression', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged(tmp_path, compression):
    """Encrypted, packed by an unknown method, spoilt."""
    path = tmp_path / 'a.npz'
    write(path, compression=compression)
    whole = path.read_bytes()
    directory = whole.index(b'PK\x01\x02')
    for changes in ({6: 1, directory + 8: 1}, {8: 99, directory + 10: 99}, dict.fromkeys(range(50, 60), 255)):
        content = bytearray(whole)
        for place, byte in changes.items():
            content[place] = byte
        path.write_bytes(content)
        refused(path)
