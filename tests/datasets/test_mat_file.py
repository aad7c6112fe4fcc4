"""The oracle is SciPy, which wrote the files."""
import struct

from source.datasets.mat_file import read_mat
from tests.datasets.writers import saved

import numpy as np
import pytest
from scipy.io import savemat

ARRAYS = {
    **{f'a_{dtype}': (np.arange(24).reshape(2, 3, 4) % 7).astype(dtype) for dtype in (
        'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f4', 'f8')},
    'y': np.array([[1], [10]], np.uint8), 'empty': np.zeros((0, 3)), 'x': np.random.RandomState(0).rand(5, 4)}


@pytest.mark.parametrize('compressed', [False, True])
def test_arrays(tmp_path, compressed):
    others = {'text': 'hello', 'z': np.array([1 + 2j]), 'cell': np.array([1, 'a'], object), 'structure': {'k': 1}}
    savemat(tmp_path / 'a.mat', {**ARRAYS, **others}, do_compression=compressed)
    found = read_mat(tmp_path / 'a.mat')
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize('compressed, kept, message', [
    (False, -9, 'more than are left'), (True, -9, 'an element of|more than'), (True, 100, 'not a little-endian')])
def test_what_is_cut(tmp_path, compressed, kept, message):
    (tmp_path / 'a.mat').write_bytes(saved(savemat, {'x': ARRAYS['x']}, do_compression=compressed)[:kept])
    with pytest.raises(ValueError, match=message):
        read_mat(tmp_path / 'a.mat')


@pytest.mark.parametrize('shape', [(5, 5), (-5, -4)])
def test_another_shape_than_there_are_values(tmp_path, shape):
    content = saved(savemat, {'x': ARRAYS['x']}).replace(struct.pack('<2i', 5, 4), struct.pack('<2i', *shape))
    (tmp_path / 'a.mat').write_bytes(content)
    with pytest.raises(ValueError, match=f'{shape[1]}\\) with 20 values'):
        read_mat(tmp_path / 'a.mat')


def test_a_small_file_does_not_become_a_large_array(tmp_path):
    savemat(tmp_path / 'a.mat', {'x': np.zeros(10 ** 6)}, do_compression=True)
    assert (tmp_path / 'a.mat').stat().st_size < 20000
    with pytest.raises(ValueError, match='more than 100000'):
        read_mat(tmp_path / 'a.mat', most_bytes=10 ** 5)
