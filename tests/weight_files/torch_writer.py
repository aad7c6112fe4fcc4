"""Writes `.pth` files opcode by opcode, as PyTorch does, without PyTorch: whole ones and ones that are not."""
import io
import pickle
import zipfile

import numpy as np

STORAGES = {'f8': 'DoubleStorage', 'f4': 'FloatStorage', 'f2': 'HalfStorage', 'i8': 'LongStorage', 'u1': 'ByteStorage',
            'b1': 'BoolStorage'}


def text(string):
    return b'X' + len(string.encode()).to_bytes(4, 'little') + string.encode()


def number(n):
    return pickle.dumps(n, 2)[2:-1]


def name(module, attribute):
    return f'c{module}\n{attribute}\n'.encode()


def nested(depth):
    """A pair of a pair and itself again, and so on: 2 ** depth numbers in four bytes a level."""
    return b'K\x01K\x01\x86q\x00' + b''.join(
        b'h' + bytes([level]) + b'\x86q' + bytes([level + 1]) for level in range(depth - 1))


def tensor(storage, key, n_stored, shape, strides, offset=0, legacy=False):
    """The opcodes of one tensor; every number as it is given, true or not.

    Shape and strides are numbers, or opcodes of something else.
    """
    persistent_id = (b'(' + text('storage') + name('torch', storage) + text(key) + text('cpu') + number(n_stored)
                     + (b'N' if legacy else b'') + b'tQ')
    shape, strides = (ns if isinstance(ns, bytes) else b'(' + b''.join(map(number, ns)) + b't'
                      for ns in (shape, strides))
    return (name('torch._utils', '_rebuild_tensor_v2') + b'(' + persistent_id + number(offset) + shape
            + strides + b'\x89' + name('collections', 'OrderedDict') + b')RtR')


def state_dict(tensors):
    """A whole pickle of {name: opcodes}, an OrderedDict as `Module.state_dict` returns it."""
    items = b''.join(text(key) + opcodes for key, opcodes in tensors.items())
    return b'\x80\x02' + name('collections', 'OrderedDict') + b')R(' + items + b'u.'


def of_array(array, key, legacy=False):
    strides = [stride // array.itemsize for stride in array.strides]
    return tensor(STORAGES[array.dtype.str[1:]], key, array.size, array.shape, strides, legacy=legacy)


def stored(array):
    """The numbers of a (transposed) contiguous array in the order of memory."""
    return np.ascontiguousarray(array.transpose(np.argsort([-stride for stride in array.strides]))).tobytes()


def zip_file(arrays, description=None, compression=zipfile.ZIP_STORED, byteorder=b'little'):
    """The bytes of the format since PyTorch 1.6 of {name: array}; `description` replaces its data.pkl."""
    if description is None:
        description = state_dict({key: of_array(array, str(i)) for i, (key, array) in enumerate(arrays.items())})
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', compression) as archive:
        archive.writestr('weights/data.pkl', description)
        archive.writestr('weights/byteorder', byteorder)
        for i, array in enumerate(arrays.values()):
            archive.writestr(f'weights/data/{i}', stored(array))
        archive.writestr('weights/version', '3\n')
    return file.getvalue()


def legacy_file(arrays, description=None, little_endian=True):
    """The bytes of the format before PyTorch 1.6."""
    keys = [str(i) for i in range(len(arrays))]
    if description is None:
        description = state_dict({name: of_array(array, key, legacy=True)
                                  for key, (name, array) in zip(keys, arrays.items(), strict=True)})
    parts = [pickle.dumps(0x1950a86a20f9469cfc6c, 2), pickle.dumps(1001, 2),
             pickle.dumps({'protocol_version': 1001, 'little_endian': little_endian, 'type_sizes': {'int': 4}}, 2),
             description, pickle.dumps(keys, 2)]
    for array in arrays.values():
        parts += [array.size.to_bytes(8, 'little'), stored(array)]
    return b''.join(parts)
