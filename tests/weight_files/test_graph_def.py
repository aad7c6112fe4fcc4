import tracemalloc

from source.weight_files import WeightFileError
from source.weight_files.graph_def import GraphDef
from tests.weight_files import graph_def_writer as writer

import numpy as np
import pytest

RNG = np.random.RandomState(0)
ARRAYS = {'conv/conv2d_params': RNG.standard_normal((3, 3, 2, 4)).astype('f4'), 'double': RNG.standard_normal(3),
          'pool/size': np.array([1, -2, 2 ** 31 - 1], 'i4'), 'a/gamma': np.ones(2, 'f4'),
          'empty': np.zeros((0, 2), 'f4')}


def refused(content):
    with pytest.raises(WeightFileError) as error:
        GraphDef(content, 'a.pb')
    assert str(error.value).startswith('a.pb: ') and '\n' not in str(error.value)
    return str(error.value)


def is_whole(content):
    try:
        GraphDef(content, 'a.pb')
    except WeightFileError:
        return False
    return True


def test_reads_constants_and_attributes():
    graph = GraphDef(writer.graph(ARRAYS, eps=.25), 'a.pb')
    assert set(graph.constants) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(graph.constants[name], array, err_msg=name, strict=True)
    assert graph.attributes['a'] == {'variance_epsilon': .25}


@pytest.mark.parametrize('dtype', ['f4', 'f8', 'i4'])
def test_lists_of_values(dtype):
    array = np.arange(-3, 3).reshape(2, 3).astype(dtype)
    graph = GraphDef(writer.constant('list', array, content=False)
                     + writer.constant('filled', array, content=False, values=array.ravel()[:2])
                     + writer.constant('scalar', array[0, 0], content=False), 'a.pb')
    np.testing.assert_array_equal(graph.constants['list'], array, strict=True)
    np.testing.assert_array_equal(graph.constants['filled'], np.array([[-3, -2, -2], [-2, -2, -2]], dtype), strict=True)
    np.testing.assert_array_equal(graph.constants['scalar'], array[0, 0])


def test_values_outside_a_packed_list():
    tensor = writer.field(1, 1) + writer.field(2, writer.shape([2])) + writer.field(5, 1.5) + writer.field(5, 2.5)
    graph = GraphDef(writer.node('w', 'Const', value=writer.field(8, tensor)), 'a.pb')
    np.testing.assert_array_equal(graph.constants['w'], [1.5, 2.5])


@pytest.mark.parametrize('extents', [(2 ** 20, 2 ** 20), (2 ** 62,), (2 ** 27,), (5,), (-1,), (0,)])
@pytest.mark.parametrize('content', [True, False])
def test_refuses_shapes_that_do_not_fit(extents, content):
    assert 'shape' in refused(writer.constant('w', np.ones(6, 'f4'), extents=extents, content=content))


def test_few_bytes_of_many_numbers():
    """One value that is to be repeated, in each of many nodes: refused once they are more than any weights."""
    node = [writer.constant(f'w{k}', np.ones(1, 'f4'), extents=(1 << 25,), content=False) for k in range(9)]
    tracemalloc.start()
    try:
        message = refused(b''.join(node))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 'w2: with shape (33554432,) there are more numbers' in message
    assert peak < 800 << 20


def test_only_named_constants_in_known_shapes():
    content = writer.graph(ARRAYS) + writer.constant('huge', np.ones(1, 'f4'), extents=(1 << 25,), content=False)
    shapes = {'double': (3,), 'a/gamma': (2,), 'not there': (1,)}
    tracemalloc.start()
    try:
        graph = GraphDef(content, 'a.pb', shapes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert set(graph.constants) == {'double', 'a/gamma'}
    assert peak < 1 << 20
    with pytest.raises(WeightFileError, match=r'a.pb: .*; huge: expected shape \(3,\), found \(33554432,\)'):
        GraphDef(content, 'a.pb', {'huge': (3,)})


def test_refuses_more_fields_than_any_graph(monkeypatch):
    monkeypatch.setattr('source.weight_files.graph_def._MOST_FIELDS', 100)
    whole = writer.constant('w', np.ones(6, 'f4'))
    assert is_whole(whole)
    for content in (whole + writer.field(4, 0) * 101, b''.join(writer.node(f'a{k}', 'Add') for k in range(50)),
                    writer.node('a', 'Add', **{f'k{k}': b'' for k in range(50)}),
                    writer.constant('w', np.ones(6, 'f4'), extents=(1,) * 50)):
        assert 'more than 100 fields' in refused(content)


def test_reads_no_more_values_than_the_shape_has():
    """A list of ten million, for two: refused at the third."""
    tensor = writer.field(1, writer.INT32) + writer.field(2, writer.shape([2])) + writer.field(7, b'\x01' * 10_000_000)
    content = writer.node('w', 'Const', value=writer.field(8, tensor))
    tracemalloc.start()
    try:
        message = refused(content)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert 'values' in message


def test_refuses_a_node_twice():
    assert "'w' occurs twice" in refused(2 * writer.constant('w', np.ones(6, 'f4')))


def test_refuses_graphs_without_constants():
    for content in (b'', writer.node('a', 'Placeholder'), writer.field(4, b'')):
        assert 'it has none' in refused(content)


def test_cut_anywhere():
    """Cut between two nodes it is a whole, shorter graph; elsewhere refused."""
    whole = writer.graph(ARRAYS)
    n_whole = 0
    for n in range(len(whole)):
        n_whole += is_whole(whole[:n])
    assert n_whole <= len(ARRAYS) + 2


def test_changed_anywhere():
    """Other numbers or a refusal, never another exception."""
    whole = writer.graph(ARRAYS)
    for position in range(len(whole)):
        for change in (0x01, 0x55, 0x80):
            is_whole(whole[:position] + bytes([whole[position] ^ change]) + whole[position + 1:])


def test_endless_number():
    assert 'ten bytes' in refused(b'\x08' + b'\xff' * 20)
