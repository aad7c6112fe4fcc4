"""TensorFlow's frozen graphs (`.pb`) without TensorFlow: a GraphDef's constants, from the protobuf wire format.

Message and field numbers are those of tensorflow/core/framework's graph.proto, node_def.proto, attr_value.proto,
tensor.proto and tensor_shape.proto.
"""
import math
import struct

from source.weight_files import WeightFileError

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DTYPES = {1: 'f4', 2: 'f8', 3: 'i4', 9: 'i8'}  # DataType: the rest holds no weights
_VALUE_FIELDS = {1: (5, _FIXED32), 2: (6, _FIXED64), 3: (7, _VARINT), 9: (10, _VARINT)}  # float_val, double_val, …
_MOST_ELEMENTS = 1 << 26


class GraphDef:
    """The nodes of a graph.

    `constants` is {name: array} of its numeric Const nodes, `attributes` {name: {key: float}} of all float attributes.
    """

    def __init__(self, content, path):
        """Parse `content`, bytes; `path` is for messages. Raises WeightFileError where it is no whole GraphDef."""
        self.constants, self.attributes = {}, {}
        try:
            for number, value in _fields(memoryview(content)):
                if number == 1:
                    self._add(value)
        except (ValueError, LookupError, TypeError, struct.error, OverflowError) as error:
            raise WeightFileError(f'{path}: expected a TensorFlow graph; {error}') from None
        if not self.constants:
            raise WeightFileError(f'{path}: expected a TensorFlow graph with constants; it has none')

    def _add(self, node):
        name, operation, attributes = '', '', {}
        for number, value in _fields(_message(node)):
            if number == 1:
                name = str(_message(value), 'utf-8')
            elif number == 2:
                operation = str(_message(value), 'utf-8')
            elif number == 5:
                entry = dict(_fields(_message(value)))
                attributes[str(_message(entry.get(1, b'')), 'utf-8')] = dict(_fields(_message(entry.get(2, b''))))
        if name in self.attributes:
            raise ValueError(f'node {name!r} occurs twice')
        self.attributes[name] = {key: _float(value[4]) for key, value in attributes.items() if 4 in value}
        if operation == 'Const' and 8 in attributes.get('value', {}):
            tensor = _tensor(_message(attributes['value'][8]), name)
            if tensor is not None:
                self.constants[name] = tensor


def _fields(data):
    """Yield (number, value) of a message's fields: an int, or a memoryview of what is fixed in size or delimited."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            n_bytes, position = _varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            n_bytes = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f'a field is of the wire type {kind}')
        if n_bytes > len(data) - position:
            raise ValueError('it is cut short')
        yield number, data[position:position + n_bytes]
        position += n_bytes


def _varint(data, position):
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError('it is cut short')
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError('a number has more than ten bytes')


def _message(value):
    if isinstance(value, int):
        raise ValueError('a field is of another type')
    return value


def _float(value):
    return struct.unpack('<f', _message(value))[0]


def _tensor(data, name):
    dtype, shape, content, values = None, (), None, []
    fields = list(_fields(data))
    for number, value in fields:
        if number == 1:
            dtype = value
        elif number == 2:
            shape = _shape(_message(value))
        elif number == 4:
            content = _message(value)
    if dtype not in _DTYPES:
        return None
    n = math.prod(shape)
    if n > _MOST_ELEMENTS:
        raise ValueError(f'{name}: shape {shape} is larger than any weight')
    kind = np.dtype('<' + _DTYPES[dtype])
    if content is not None:
        if len(content) != n * kind.itemsize:
            raise ValueError(f'{name}: shape {shape} and {len(content)} bytes do not fit')
        array = np.frombuffer(content, kind)
    else:
        field, wire_type = _VALUE_FIELDS[dtype]
        for number, value in fields:
            if number == field:
                values.append(_values(value, kind, wire_type))
        array = np.concatenate(values) if values else np.zeros(1, kind)
        if not 1 <= len(array) <= max(n, 1):
            raise ValueError(f'{name}: shape {shape} and {len(array)} values do not fit')
        array = np.concatenate([array, np.repeat(array[-1:], max(n, 1) - len(array))])[:n]  # the last one repeats
    return array.reshape(shape).astype(kind.newbyteorder('='))


def _values(value, kind, wire_type):
    if isinstance(value, int):
        return np.array([value], np.uint64).astype(np.int64).astype(kind)
    if wire_type == _VARINT:
        position, numbers = 0, []
        while position < len(value):
            number, position = _varint(value, position)
            numbers.append(number)
        return np.array(numbers, np.uint64).astype(np.int64).astype(kind)
    return np.frombuffer(value, kind)


def _shape(data):
    extents = []
    for number, value in _fields(data):
        if number == 2:
            extent = dict(_fields(_message(value))).get(1, 0)
            if not isinstance(extent, int) or extent >= 1 << 31:
                raise ValueError('a shape is not known')
            extents.append(extent)
        elif number == 3 and value:
            raise ValueError('a shape is not known')
    return tuple(extents)
