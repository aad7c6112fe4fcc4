"""PyTorch's `.pth` files without PyTorch: both of its formats, tensors alone, nothing executed.

Since 1.6 a zip archive: `<folder>/data.pkl` describes the tensors, `<folder>/data/<key>` holds their storages. Before
that five pickles one after the other (a magic number, the version, the machine, the tensors, the storages' keys),
then every storage as its length and its numbers.
"""
import io
import math
import os
import pickle
import struct
import zipfile

from source.weight_files import WeightFileError
from source.weight_files.checks import one_line
from source.weight_files.data_pickle import Call, Name, PersistentId, loads, read_data_pickle

import numpy as np

LEGACY_MAGIC = 0x1950a86a20f9469cfc6c
LEGACY_START = b'\x80\x02\x8a\x0a' + LEGACY_MAGIC.to_bytes(10, 'little')
ZIP_START = b'PK\x03\x04'
_MOST_AXES = 32

_DTYPES = {'DoubleStorage': 'f8', 'FloatStorage': 'f4', 'HalfStorage': 'f2', 'LongStorage': 'i8', 'IntStorage': 'i4',
           'ShortStorage': 'i2', 'CharStorage': 'i1', 'ByteStorage': 'u1', 'BoolStorage': '?'}
_ORDERED_DICT = Name('collections', 'OrderedDict')
_TENSOR, _PARAMETER = Name('torch._utils', '_rebuild_tensor_v2'), Name('torch._utils', '_rebuild_parameter')
_NAMES = {str(_ORDERED_DICT), str(_TENSOR), str(_PARAMETER), *(f'torch.{storage}' for storage in _DTYPES)}


def read_torch_file(path):
    """Return {name: array} of a state dict saved by `torch.save`: read-only views, with the strides as saved.

    Raises WeightFileError for anything else: a cut or changed file, code, other objects, big-endian machines, tensors
    that reach beyond their storage or hold a number of it twice; OSError where the file cannot be read.
    """
    with open(path, 'rb') as file:
        start = file.read(len(LEGACY_START))
        file.seek(0)
        try:
            if start.startswith(ZIP_START):
                return _read_zip(file)
            if start == LEGACY_START:
                return _read_legacy(file)
            raise ValueError('it begins with neither a zip archive nor the magic number of the older format')
        except (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, MemoryError, RuntimeError,
                OverflowError, struct.error, pickle.PickleError, zipfile.BadZipFile) as error:  # zipfile raises all
            raise WeightFileError(f"{path}: expected tensors in PyTorch's format; {one_line(error)}") from None


def _read_zip(file):
    n_bytes = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if len(entries) != len(archive.infolist()):
            raise ValueError('an entry occurs twice')
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
            raise ValueError('an entry is compressed, which PyTorch never does')
        if sum(entry.file_size for entry in entries.values()) > n_bytes:
            raise ValueError('its entries claim more bytes than the file has')
        descriptions = [name for name in entries if name.count('/') == 1 and name.endswith('/data.pkl')]
        if len(descriptions) != 1:
            raise ValueError('it holds no data.pkl')
        folder = descriptions[0].removesuffix('data.pkl')
        if f'{folder}byteorder' in entries and archive.read(f'{folder}byteorder') != b'little':
            raise ValueError('it comes from a big-endian machine')
        storages = {}

        def storage(name, key, n):
            if key not in storages:
                content = archive.read(f'{folder}data/{key}')
                if len(content) < n * _dtype(name).itemsize:
                    raise ValueError(f'storage {key} should hold {n} numbers and has {len(content)} bytes')
                storages[key] = np.frombuffer(content, _dtype(name), n)
            return _checked(storages[key], name, key, n)
        return _state_dict(loads(archive.read(descriptions[0]), _NAMES), storage)


def _read_legacy(file):
    file = io.BytesIO(file.read())  # whose reads are never larger than the file, whatever a length in it says
    for _ in range(2):
        read_data_pickle(file, ())
    if read_data_pickle(file, ()).get('little_endian') is not True:
        raise ValueError('it comes from a big-endian machine')
    tensors = read_data_pickle(file, _NAMES)
    keys = read_data_pickle(file, ())
    wanted = {}
    _state_dict(tensors, lambda name, key, n: wanted.setdefault(key, (name, n)) and None)
    storages = {}
    for key in keys:
        if not isinstance(key, str) or key not in wanted:
            raise ValueError('a storage belongs to no tensor')
        name, n = wanted[key]
        if int.from_bytes(file.read(8), 'little') != n:
            raise ValueError(f'storage {key} is not of {n} numbers')
        content = file.read(n * _dtype(name).itemsize)
        if len(content) != n * _dtype(name).itemsize:
            raise ValueError('it is cut short')
        storages[key] = np.frombuffer(content, _dtype(name))
    return _state_dict(tensors, lambda name, key, n: _checked(storages[key], name, key, n))


def _dtype(name):
    return np.dtype(_DTYPES[name]).newbyteorder('<')


def _checked(array, name, key, n):
    if len(array) != n or array.dtype != _dtype(name):
        raise ValueError(f'storage {key} is described twice, differently')
    return array


def _state_dict(described, storage):
    """The tensors of a state dict; where `storage` returns None, only what they ask of it is checked."""
    if isinstance(described, Call) and described.function == _ORDERED_DICT and described.args == ():
        described = described.items
    if not isinstance(described, dict) or not described:
        raise ValueError('it holds no state dict')
    tensors = {}
    for name, value in described.items():
        if not isinstance(name, str):
            raise ValueError('it has a tensor without a name')
        try:
            tensors[name] = _tensor(value, storage)
        except (ValueError, TypeError, LookupError) as error:
            raise ValueError(f'{one_line(name)}: {error}') from None
    return tensors


def _repeats(shape, strides):
    """Whether an axis steps less than the shorter steps together reach, so that two elements may be one number."""
    reach = 0
    for stride, extent in sorted(zip(strides, shape, strict=True)):
        if extent > 1:
            if stride <= reach:
                return True
            reach += (extent - 1) * stride
    return False


def _tensor(value, storage):
    if isinstance(value, Call) and value.function == _PARAMETER:
        value = value.args[0]
    if not isinstance(value, Call) or value.function != _TENSOR:
        raise ValueError('not a tensor')
    stored, offset, shape, strides = value.args[:4]
    if not isinstance(stored, PersistentId) or stored.value[0] != 'storage':
        raise ValueError('not a tensor with a storage')
    _, kind, key, _, n = stored.value[:5]
    if len(stored.value) > 5 and stored.value[5] is not None:
        raise ValueError('a view of another storage, as only PyTorch before 0.4 wrote')
    if not isinstance(kind, Name) or kind.name not in _DTYPES or not isinstance(key, str):
        raise ValueError('a storage of another kind')
    if not all(isinstance(numbers, tuple) and len(numbers) <= _MOST_AXES for numbers in (shape, strides)):
        raise ValueError(f'shape and strides are not of 0 to {_MOST_AXES} numbers')
    if any(type(number) is not int or number < 0 for number in (offset, n, *shape, *strides)) or (
            len(shape) != len(strides)):
        raise ValueError('shape, strides, offset and length do not make a tensor')
    n_elements = math.prod(shape)
    last = offset + sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True))
    if n_elements > n or offset > n or (n_elements and last >= n):
        raise ValueError(f'shape {shape}, strides {strides} and offset {offset} reach beyond {n} stored numbers')
    if n_elements and _repeats(shape, strides):
        raise ValueError(f'shape {shape} and strides {strides} hold a number twice')
    array = storage(kind.name, key, n)
    if array is None:
        return None
    return np.lib.stride_tricks.as_strided(
        array[offset:], shape, [stride * array.itemsize for stride in strides], writeable=False)
