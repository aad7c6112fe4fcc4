"""TensorFlow's frozen graphs (`.pb`) without TensorFlow: a GraphDef's constants, from the protobuf wire format.

Message and field numbers are those of tensorflow/core/framework's graph.proto, node_def.proto, attr_value.proto,
tensor.proto and tensor_shape.proto.
"""
import math
import struct

from source.weight_files import WeightFileError
from source.weight_files.checks import one_line

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DTYPES = {1: 'f4', 2: 'f8', 3: 'i4', 9: 'i8'}  # DataType: the rest holds no weights
_VALUE_FIELDS = {1: (5, _FIXED32), 2: (6, _FIXED64), 3: (7, _VARINT), 9: (10, _VARINT)}  # float_val, double_val, …
_MOST_AXES = 32
_MOST_ELEMENTS = 1 << 26  # of all constants together: a tensor may be one number and its shape
_MOST_FIELDS = 1 << 20  # the graph of 2015 has far fewer; what Python keeps of one is much larger than it is


class GraphDef:
    """The nodes of a graph.

    `constants` is {name: array} of its numeric Const nodes, `attributes` {name: {key: float}} of all float attributes.
    """

    def __init__(self, content, path, shapes=None):
        """Parse `content`, bytes; `path` is for messages.

        With `shapes`, {name: shape}, only the constants named there are read. Raises WeightFileError where it is no
        whole GraphDef, where one of these is of another shape, and where it claims more than any file of weights.
        """
        self.constants, self.attributes = {}, {}
        self._shapes, self._fields_left, self._elements_left = shapes, _MOST_FIELDS, _MOST_ELEMENTS
        try:
            for number, value in self._fields(memoryview(content)):
                if number == 1:
                    self._add(value)
        except (ValueError, LookupError, TypeError, struct.error, OverflowError, MemoryError) as error:
            raise WeightFileError(f'{path}: expected a TensorFlow graph; {one_line(error)}') from None
        if not self.constants and shapes is None:
            raise WeightFileError(f'{path}: expected a TensorFlow graph with constants; it has none')

    def _add(self, node):
        name, operation, attributes = '', '', {}
        for number, value in self._fields(_message(node)):
            if number == 1:
                name = str(_message(value), 'utf-8')
            elif number == 2:
                operation = str(_message(value), 'utf-8')
            elif number == 5:
                entry = dict(self._fields(_message(value)))
                attributes[str(_message(entry.get(1, b'')), 'utf-8')] = dict(self._fields(_message(entry.get(2, b''))))
        if name in self.attributes:
            raise ValueError(f'node {one_line(name)!r} occurs twice')
        self.attributes[name] = {key: _float(value[4]) for key, value in attributes.items() if 4 in value}
        is_wanted = self._shapes is None or name in self._shapes
        if operation == 'Const' and is_wanted and 8 in attributes.get('value', {}):
            tensor = self._tensor(_message(attributes['value'][8]), name, (self._shapes or {}).get(name))
            if tensor is not None:
                self.constants[name] = tensor

    def _fields(self, data):
        """Yield (number, value) of a message's fields: an int, or a memoryview of what has a size."""
        position = 0
        while position < len(data):
            self._fields_left -= 1
            if self._fields_left < 0:
                raise ValueError(f'it has more than {_MOST_FIELDS} fields')
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

    def _tensor(self, data, name, expected):
        dtype, shape, content, values = None, (), None, []
        fields = list(self._fields(data))
        for number, value in fields:
            if number == 1:
                dtype = value
            elif number == 2:
                shape = self._shape(_message(value))
            elif number == 4:
                content = _message(value)
        if dtype not in _DTYPES:
            return None
        name = one_line(name)
        if expected is not None and shape != expected:
            raise ValueError(f'{name}: expected shape {expected}, found {one_line(shape)}')
        n = math.prod(shape)
        self._elements_left -= n
        if self._elements_left < 0 or len(shape) > _MOST_AXES:
            raise ValueError(f'{name}: with shape {one_line(shape)} there are more numbers than in any weights')
        kind = np.dtype('<' + _DTYPES[dtype])
        if content is not None:
            if len(content) != n * kind.itemsize:
                raise ValueError(f'{name}: shape {shape} and {len(content)} bytes do not fit')
            array = np.frombuffer(content, kind)
        else:
            field, wire_type = _VALUE_FIELDS[dtype]
            for number, value in fields:
                if number == field:
                    values.append(_values(value, kind, wire_type, n))
            array = np.concatenate(values) if values else np.zeros(1, kind)
            if not 1 <= len(array) <= max(n, 1):
                raise ValueError(f'{name}: shape {shape} and {len(array)} values do not fit')
            array = np.concatenate([array, np.repeat(array[-1:], max(n, 1) - len(array))])[:n]  # the last one repeats
        return array.reshape(shape).astype(kind.newbyteorder('='))

    def _shape(self, data):
        extents = []
        for number, value in self._fields(data):
            if number == 2:
                extent = dict(self._fields(_message(value))).get(1, 0)
                if not isinstance(extent, int) or extent >= 1 << 31:
                    raise ValueError('a shape is not known')
                extents.append(extent)
            elif number == 3 and value:
                raise ValueError('a shape is not known')
        return tuple(extents)


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


def _values(value, kind, wire_type, n):
    if isinstance(value, int):
        return np.array([value], np.uint64).astype(np.int64).astype(kind)
    if wire_type == _VARINT:
        position, numbers = 0, []
        while position < len(value):
            if len(numbers) > n:
                raise ValueError(f'more than {n} values for a tensor of as many')
            number, position = _varint(value, position)
            numbers.append(number)
        return np.array(numbers, np.uint64).astype(np.int64).astype(kind)
    return np.frombuffer(value, kind)
