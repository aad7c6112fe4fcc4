"""Writes TensorFlow GraphDefs: the few protobuf messages a frozen graph consists of, without protobuf."""
import struct

FLOAT, DOUBLE, INT32, STRING = 1, 2, 3, 7
_OF_KIND = {'f4': FLOAT, 'f8': DOUBLE, 'i4': INT32}


def varint(n):
    n %= 1 << 64
    low = [n >> shift & 127 for shift in range(0, max(n.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number, value):
    """An int as a varint, a float in 32 bits, text and bytes with their length before them."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack('<f', value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape(extents):
    return b''.join(field(2, field(1, extent)) for extent in extents)


def node(name, operation, **attributes):
    """A NodeDef; attributes are encoded AttrValues."""
    entries = b''.join(field(5, field(1, key) + field(2, value)) for key, value in attributes.items())
    return field(1, field(1, name) + field(2, operation) + entries)


def constant(name, array, content=True, extents=None, values=None):
    """Of an array, its numbers as raw content or, without `content`, as a packed list, which may be of other values."""
    kind = _OF_KIND[array.dtype.str[1:]]
    tensor = field(1, kind) + field(2, shape(array.shape if extents is None else extents))
    values = array if values is None else values
    packed = b''.join(map(varint, values.ravel().tolist())) if kind == INT32 else values.tobytes()
    tensor += field(4, array.tobytes()) if content else field({FLOAT: 5, DOUBLE: 6, INT32: 7}[kind], packed)
    return node(name, 'Const', dtype=field(6, kind), value=field(8, tensor))


def graph(constants, eps=1e-3):
    """A frozen graph of {name: array}, with what else the graph of 2015 holds: strings, operations, a version."""
    text = field(8, field(1, STRING) + field(2, shape(())) + field(8, 'a label'))
    nodes = [node('DecodeJpeg/contents', 'Const', dtype=field(6, STRING), value=text)]
    nodes += [constant(name, array) for name, array in constants.items()]
    nodes += [node(name.removesuffix('/gamma'), 'BatchNormWithGlobalNormalization', variance_epsilon=field(4, eps),
                   scale_after_normalization=field(5, 1)) for name in constants if name.endswith('/gamma')]
    return b''.join(nodes) + field(4, field(1, 9))
