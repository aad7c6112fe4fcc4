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
    """The opcodes of one tensor; every number as it is given, true or not, shape and strides perhaps as opcodes."""
    persistent_id = (b'(' + text('storage') + name('torch', storage) + text(key) + text('cpu') + number(n_stored)
                     + (b'N' if legacy else b'') + b'tQ')
    extents = b''.join(ns if isinstance(ns, bytes) else b'(' + b''.join(map(number, ns)) + b't'
                       for ns in (shape, strides))
    return (name('torch._utils', '_rebuild_tensor_v2') + b'(' + persistent_id + number(offset) + extents
            + b'\x89' + name('collections', 'OrderedDict') + b')RtR')


def state_dict(tensors):
    """A whole pickle of {name: opcodes}, an OrderedDict as `Module.state_dict` returns it."""
    items = b''.join(text(key) + opcodes for key, opcodes in tensors.items())
    return b'\x80\x02' + name('collections', 'OrderedDict') + b')R(' + items + b'u.'


def of_arrays(arrays, legacy=False):
    """The pickle of {name: array}, whose storages are called 0, 1, ..."""
    return state_dict({key: tensor(STORAGES[array.dtype.str[1:]], str(i), array.size, array.shape,
                                   [stride // array.itemsize for stride in array.strides], legacy=legacy)
                       for i, (key, array) in enumerate(arrays.items())})


def stored(array):
    """The numbers of a (transposed) contiguous array in the order of memory."""
    return np.ascontiguousarray(array.transpose(np.argsort([-stride for stride in array.strides]))).tobytes()


def zip_file(arrays, description=None, compression=zipfile.ZIP_STORED, byteorder=b'little'):
    """The bytes of the format since PyTorch 1.6 of {name: array}; `description` replaces its data.pkl."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', compression) as archive:
        archive.writestr('weights/data.pkl', of_arrays(arrays) if description is None else description)
        archive.writestr('weights/byteorder', byteorder)
        for i, array in enumerate(arrays.values()):
            archive.writestr(f'weights/data/{i}', stored(array))
        archive.writestr('weights/version', '3\n')
    return file.getvalue()


def legacy_file(arrays, description=None, little_endian=True):
    """The bytes of the format before PyTorch 1.6."""
    machine = {'protocol_version': 1001, 'little_endian': little_endian, 'type_sizes': {'int': 4}}
    parts = [pickle.dumps(0x1950a86a20f9469cfc6c, 2), pickle.dumps(1001, 2), pickle.dumps(machine, 2),
             of_arrays(arrays, legacy=True) if description is None else description,
             pickle.dumps([str(i) for i in range(len(arrays))], 2)]
    for array in arrays.values():
        parts += [array.size.to_bytes(8, 'little'), stored(array)]
    return b''.join(parts)
