import contextlib
import struct
import tracemalloc

from source.weight_files import WeightFileError
from source.weight_files.graph_def import GraphDef
from tests.weight_files import graph_def_writer as writer

import numpy as np
import pytest

ARRAYS = {'conv/conv2d_params': np.random.RandomState(0).standard_normal((3, 3, 2, 4)).astype('f4'),
          'double': np.array([.1, 2 / 3, -1e9]), 'pool/size': np.array([1, -2, 2 ** 31 - 1], 'i4'),
          'a/gamma': np.ones(2, 'f4'), 'empty': np.zeros((0, 2), 'f4')}
W = writer.constant('w', np.ones(6, 'f4'))
HUGE = writer.constant('huge', np.ones(1, 'f4'), extents=(1 << 25,), content=False)  # one value, to be repeated


def refused(content, shapes=None):
    with pytest.raises(WeightFileError) as error:
        GraphDef(content, 'a.pb', shapes)
    assert str(error.value).startswith('a.pb: ') and '\n' not in str(error.value)
    return str(error.value)


def peak_of(function, *arguments):
    """(what it returns, the most bytes that it took)"""
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_reads_constants_and_attributes():
    graph = GraphDef(writer.graph(ARRAYS, eps=.25), 'a.pb')
    assert set(graph.constants) == set(ARRAYS) and graph.attributes['a'] == {'variance_epsilon': .25}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(graph.constants[name], array, err_msg=name, strict=True)


@pytest.mark.parametrize('dtype', ['f4', 'f8', 'i4'])
def test_lists_of_values(dtype):
    array = np.arange(-3, 3).reshape(2, 3).astype(dtype)
    unpacked = writer.field(1, 1) + writer.field(2, writer.shape([2])) + writer.field(5, 1.5) + writer.field(5, 2.5)
    double = writer.field(1, writer.DOUBLE) + bytes([6 << 3 | 1]) + struct.pack('<d', .1)  # double_val, in 64 bits
    found = GraphDef(writer.constant('list', array, content=False)
                     + writer.constant('filled', array, content=False, values=array.ravel()[:2])
                     + writer.constant('scalar', array[0, 0], content=False)
                     + writer.node('unpacked', 'Const', value=writer.field(8, unpacked))
                     + writer.node('double', 'Const', value=writer.field(8, double)), 'a.pb').constants
    np.testing.assert_array_equal(found['list'], array, strict=True)
    np.testing.assert_array_equal(found['filled'], np.array([[-3, -2, -2], [-2, -2, -2]], dtype), strict=True)
    np.testing.assert_array_equal(found['scalar'], array[0, 0])
    np.testing.assert_array_equal(found['unpacked'], [1.5, 2.5])
    np.testing.assert_array_equal(found['double'], .1)


def test_refuses_shapes_that_do_not_fit():
    for extents in ((2 ** 20, 2 ** 20), (2 ** 62,), (2 ** 27,), (5,), (-1,), (0,)):
        for content in (True, False):
            assert 'shape' in refused(writer.constant('w', np.ones(6, 'f4'), extents=extents, content=content))


def test_few_bytes_of_many_numbers():
    """Refused once they are more than any weights; a list of ten million, for two, at the third."""
    message, n_bytes = peak_of(refused, b''.join(HUGE.replace(b'huge', b'wei%d' % k) for k in range(9)))
    assert 'wei2: with shape (33554432,) there are more numbers' in message and n_bytes < 800 << 20
    tensor = writer.field(1, writer.INT32) + writer.field(2, writer.shape([2])) + writer.field(7, b'\x01' * 10_000_000)
    message, n_bytes = peak_of(refused, writer.node('w', 'Const', value=writer.field(8, tensor)))
    assert 'values' in message and n_bytes < 1 << 20


def test_only_named_constants_in_known_shapes():
    content = writer.graph(ARRAYS) + HUGE
    graph, n_bytes = peak_of(GraphDef, content, 'a.pb', {'double': (3,), 'a/gamma': (2,), 'not there': (1,)})
    assert set(graph.constants) == {'double', 'a/gamma'} and n_bytes < 1 << 20
    assert 'huge: expected shape (3,), found (33554432,)' in refused(content, {'huge': (3,)})


def test_refuses_more_fields_than_any_graph(monkeypatch):
    monkeypatch.setattr('source.weight_files.graph_def._MOST_FIELDS', 100)
    assert set(GraphDef(W, 'a.pb').constants) == {'w'}
    for content in (W + writer.field(4, 0) * 101, b''.join(writer.node(f'a{k}', 'Add') for k in range(50)),
                    writer.node('a', 'Add', **{f'k{k}': b'' for k in range(50)}),
                    writer.constant('w', np.ones(6, 'f4'), extents=(1,) * 50)):
        assert 'more than 100 fields' in refused(content)


def test_refuses_other_graphs():
    assert "'w' occurs twice" in refused(2 * W)
    assert 'ten bytes' in refused(b'\x08' + b'\xff' * 20)
    for content in (b'', writer.node('a', 'Placeholder'), writer.field(4, b'')):
        assert 'it has none' in refused(content)


def test_cut_or_changed_anywhere():
    """Cut between two nodes it is a whole, shorter graph; else other numbers or a refusal, never another exception."""
    whole, n_read = writer.graph(ARRAYS), 0
    for n in range(len(whole)):
        for change in (None, 0x01, 0x55, 0x80):
            with contextlib.suppress(WeightFileError):
                GraphDef(whole[:n] if change is None else whole[:n] + bytes([whole[n] ^ change]) + whole[n + 1:], 'a')
                n_read += change is None
    assert n_read <= len(ARRAYS) + 2
