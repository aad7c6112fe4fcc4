from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import read_hdf5_file

import h5py
import numpy as np
import pytest

ARRAYS = {'a/W': np.arange(6, dtype='f4').reshape(2, 3), 'b': np.array(3)}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


def read(path, change=lambda file: None):
    """Of a file of ARRAYS, and of what a function changes in it."""
    with h5py.File(path, 'w') as file:
        for name, array in ARRAYS.items():
            file[name] = array
        change(file)
    return read_hdf5_file(path, SHAPES)


def test_reads(tmp_path):
    found = read(tmp_path / 'a.h5')
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def circles(file):
    for k in range(30):
        file[f'c{k}'] = file['/']


def many_ways(file):
    """Nine groups, each in the one before under twenty names: 20 ** 8 paths."""
    group = file.create_group('g')
    for _ in range(8):
        below = group.create_group('x0')
        for k in range(1, 20):
            group[f'x{k}'] = below
        group = below


def other_b(value):
    def change(file):
        del file['b']
        file['b'] = value
    return change


@pytest.mark.parametrize('change, expected', [
    (circles, 'groups without end'), (many_ways, 'more than 10000 groups'),
    (lambda file: file.create_dataset('c/d', data=1), 'unexpectedly, c/d'), (lambda file: file.pop('b'), 'lacks b'),
    (lambda file: file.create_dataset('c' * 10_000, data=1), 'unexpectedly, ccc'),
    (other_b(np.dtype('f4')), 'b: expected an array, found a named datatype'),
    (other_b(h5py.SoftLink('/a')), 'b: expected an array, found a link'),
    (other_b(h5py.ExternalLink('b.h5', '/b')), 'b: expected an array, found a link'),
    (other_b(np.zeros(3, 'f4,f4')), 'b: expected numbers'), (other_b('text'), 'b: expected numbers'),
    (other_b(h5py.Empty('f4')), 'b: expected shape (), found None'),
    (other_b(np.zeros((1, 1))), 'b: expected shape (), found (1, 1)')], ids=range(12))
def test_refuses(tmp_path, change, expected):
    """Hard links do not multiply."""
    path = tmp_path / 'a.h5'
    with pytest.raises(WeightFileError) as error:
        read(path, change)
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < len(str(path)) + 300
    assert expected in message
