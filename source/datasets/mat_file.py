"""Numeric arrays of a MATLAB 5 file, read without SciPy, whose reader a damaged file can crash together with Python."""
import math
import os
import struct
import zlib

import numpy as np

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
STORED = {1: 'i1', 2: 'u1', 3: '<i2', 4: '<u2', 5: '<i4', 6: '<u4', 7: '<f4', 9: '<f8', 12: '<i8', 13: '<u8'}
CLASSES = {6: 'f8', 7: 'f4', 8: 'i1', 9: 'u1', 10: 'i2', 11: 'u2', 12: 'i4', 13: 'u4', 14: 'i8', 15: 'u8'}
COMPLEX = 0x800


def read_mat(path, most_bytes=2 ** 32):
    """Return {name: array} of a file's real numeric arrays; what else it holds is passed over.

    Raises ValueError, without the file's name, where it is damaged or an array would have more than `most_bytes`.
    Source: MathWorks, MAT-File Format, level 5.
    """
    arrays = {}
    with open(path, 'rb') as file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or header[124:] != b'\x00\x01IM':
            raise ValueError('not a little-endian MATLAB 5 file')
        while tag := file.read(8):
            kind, n = _tag(tag)
            if n > os.fstat(file.fileno()).st_size - file.tell():
                raise ValueError(f'an element of {n} bytes, more than are left')
            content = file.read(n)
            if kind == COMPRESSED:
                kind, content = _inflate(content, most_bytes)
            if kind == MATRIX:
                found = _matrix(memoryview(content))
                if found is not None:
                    arrays[found[0]] = found[1]
    return arrays


def _tag(tag):
    if len(tag) < 8:
        raise ValueError('an element that is cut short')
    return struct.unpack('<II', tag)


def _inflate(content, most_bytes):
    stream = zlib.decompressobj()
    try:
        kind, n = _tag(stream.decompress(content, 8))
        if n > most_bytes:
            raise ValueError(f'an element of {n} bytes, more than {most_bytes}')
        inflated = stream.decompress(stream.unconsumed_tail, n) if n else b''
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(inflated) < n:
        raise ValueError(f'an element of {len(inflated)} bytes instead of {n}')
    return kind, inflated


def _matrix(content):
    """(name, array), or None for what is no real numeric array."""
    elements = _elements(content)
    try:
        (_, flags), (_, shape), (_, name) = (next(elements) for _ in range(3))
        (flags,) = struct.unpack_from('<I', flags)
        if flags & 0xff not in CLASSES or flags & COMPLEX:
            return None
        kind, values = next(elements)
    except (RuntimeError, StopIteration, struct.error):  # a StopIteration within the first line is a RuntimeError
        raise ValueError('an array without its parts') from None
    if kind not in STORED or len(shape) % 4:
        raise ValueError(f'an array of values of type {kind}')
    shape = np.frombuffer(shape, '<i4').tolist()
    values = np.frombuffer(values, STORED[kind]) if len(values) % np.dtype(STORED[kind]).itemsize == 0 else np.empty(0)
    if min(shape, default=-1) < 0 or math.prod(shape) != values.size:
        raise ValueError(f'an array of shape {tuple(shape)} with {values.size} values')
    return bytes(name).decode('latin1'), values.astype(CLASSES[flags & 0xff], copy=False).reshape(shape, order='F')


def _elements(content):
    """Yields (type, bytes) of the parts of an element; up to four bytes stand within their tag."""
    place = 0
    while place < len(content):
        kind, n = _tag(content[place:place + 8])
        if kind >> 16:
            kind, n, start = kind & 0xffff, kind >> 16, place + 4
            place += 8
        else:
            start, place = place + 8, place + 8 + n + -n % 8
        if start + n > len(content):
            raise ValueError(f'a part of {n} bytes, more than are left')
        yield kind, content[start:start + n]
