"""Chainer's `.h5` files, read array by array after their shapes are known to be right."""
import itertools

from source.files.atomic import atomic_write
from source.weight_files import WeightFileError
from source.weight_files.checks import check_names, one_line

import h5py
import numpy as np

_MOST_ITEMS = 10_000  # hard links make a few groups many, and a circle of them endless
START = b'\x89HDF\r\n\x1a\n'


def read_hdf5_file(path, shapes):
    """Return {name: array} of an `.h5` that must hold exactly the names of `shapes`, {name: shape}, in these shapes.

    Raises WeightFileError where a name is missing or not expected, where a shape differs, where an array is not
    numeric or lies outside the file, and where the file is cut; OSError where there is none.
    """
    with open(path, 'rb'):
        pass  # HDF5's own message for a missing file is a paragraph
    try:
        with h5py.File(path, 'r') as file:
            found = {}
            _visit(file, '', found, path, itertools.count(1))
            check_names(path, found, shapes)
            for name, shape in shapes.items():
                if found[name].shape != shape:
                    raise WeightFileError(f'{path}: {name}: expected shape {shape}, found {found[name].shape}')
            return {name: np.asarray(found[name]) for name in shapes}
    except WeightFileError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise WeightFileError(f'{path}: not a whole HDF5 file ({one_line(error)})') from None


def write_hdf5_file(path, arrays, compression=None):
    """Write {name: array} as Chainer does, whole or not at all; equal arrays make equal bytes, whatever their order."""
    with atomic_write(path) as file, h5py.File(file, 'w') as hdf5:
        for name, array in sorted(arrays.items()):
            hdf5.create_dataset(name, data=array, compression=compression if np.ndim(array) else None)


def _visit(group, prefix, found, path, counter):
    for key in group:
        if next(counter) > _MOST_ITEMS:
            raise WeightFileError(f'{path}: holds more than {_MOST_ITEMS} groups and arrays, or the same ones again')
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise WeightFileError(f'{path}: {one_line(prefix + key)}: expected an array, found a link to elsewhere')
        item = group[key]
        if isinstance(item, h5py.Group):
            if prefix.count('/') > 10:
                raise WeightFileError(f'{path}: {one_line(prefix)}: groups within groups without end')
            _visit(item, f'{prefix}{key}/', found, path, counter)
        elif not isinstance(item, h5py.Dataset):
            raise WeightFileError(f'{path}: {one_line(prefix + key)}: expected an array, found a named datatype')
        elif item.dtype.kind not in 'fiu' or item.external or item.is_virtual:
            raise WeightFileError(f'{path}: {one_line(prefix + key)}: expected numbers inside the file, found '
                                  f'{one_line(item.dtype)}')
        else:
            found[prefix + key] = item
