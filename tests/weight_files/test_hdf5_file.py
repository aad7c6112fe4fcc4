from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import read_hdf5_file

import h5py
import numpy as np
import pytest

ARRAYS = {'a/W': np.arange(6, dtype='f4').reshape(2, 3), 'b': np.array(3)}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


@pytest.fixture
def write(tmp_path):
    """Writes ARRAYS and what a function adds to the open file; returns its path."""
    def write(change=lambda file: None):
        with h5py.File(tmp_path / 'a.h5', 'w') as file:
            for name, array in ARRAYS.items():
                file[name] = array
            change(file)
        return tmp_path / 'a.h5'
    return write


def refused(path):
    with pytest.raises(WeightFileError) as error:
        read_hdf5_file(path, SHAPES)
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < len(str(path)) + 300
    return message


def test_reads(write):
    read = read_hdf5_file(write(), SHAPES)
    assert set(read) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array, strict=True)


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


@pytest.mark.parametrize('change, expected', [
    (circles, 'groups without end'), (many_ways, 'more than 10000 groups'),
    (lambda file: file.create_dataset('c/d', data=1), 'unexpectedly, c/d'), (lambda file: file.pop('b'), 'lacks b'),
    (lambda file: file.create_dataset('c' * 10_000, data=1), 'unexpectedly, ccc')])
def test_refuses_other_names(write, change, expected):
    """Hard links do not multiply."""
    assert expected in refused(write(change))


@pytest.mark.parametrize('value, expected', [
    (np.dtype('f4'), 'found a named datatype'), (h5py.SoftLink('/b'), 'found a link'),
    (h5py.ExternalLink('b.h5', '/b'), 'found a link'), (np.zeros(3, 'f4,f4'), 'expected numbers'),
    (h5py.Empty('f4'), 'expected shape (), found None'), ('text', 'expected numbers'),
    (np.zeros((1, 1)), 'expected shape (), found (1, 1)')])
def test_refuses_other_things(write, value, expected):
    def change(file):
        del file['b']
        file['b'] = value
    message = refused(write(change))
    assert 'b: ' in message and expected in message
