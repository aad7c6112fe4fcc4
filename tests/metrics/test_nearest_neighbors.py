from source.kernels import switch
from source.metrics.nearest_neighbors import l1_distances, nearest_neighbors

import numpy as np
import pytest


def arrays(dtype, shapes):
    rng = np.random.RandomState(0)
    return [rng.randint(0, 256, shape).astype(dtype) if dtype == np.uint8 else rng.normal(size=shape).astype(dtype)
            for shape in shapes]


@pytest.fixture(params=[True, False], ids=['kernels', 'plain'])
def _both(request, monkeypatch):
    monkeypatch.setattr(switch, 'ALLOWED', request.param)


@pytest.mark.usefixtures('_both')
@pytest.mark.parametrize('dtype', [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize('d', [1, 7, 3072])
def test_distances(dtype, d):
    queries, items = arrays(dtype, [(3, d), (5, d)])
    items.flags.writeable = False  # as a memory map is
    expected = [[sum(abs(float(a) - float(b)) for a, b in zip(q, x)) for x in items] for q in queries]
    np.testing.assert_allclose(l1_distances(queries, items), expected, rtol=0 if dtype == np.uint8 else 1e-5)


@pytest.mark.usefixtures('_both')
@pytest.mark.parametrize('block', [1, 4, 100])
def test_nearest_in_whatever_blocks(block):
    queries, items = arrays(np.uint8, [(6, 20), (23, 20)])
    indices, distances = nearest_neighbors(queries, (items[i:i + block] for i in range(0, 23, block)), 4)
    expected = np.abs(queries.astype(int)[:, None] - items).sum(2)
    np.testing.assert_array_equal(indices, expected.argsort(axis=1)[:, :4])
    np.testing.assert_array_equal(distances, np.sort(expected, axis=1)[:, :4])


def test_of_equals_the_earlier_comes_first():
    items = np.array([[5], [1], [5], [1], [1]], np.uint8)
    indices, distances = nearest_neighbors(np.array([[1]], np.uint8), [items[:2], items[2:]], 4)
    assert indices.tolist() == [[1, 3, 4, 0]]
    assert distances.tolist() == [[0, 0, 0, 4]]


def test_refused():
    queries, items = arrays(np.float32, [(2, 3), (2, 3)])
    with pytest.raises(ValueError, match='expected at least 3 items to find the 3 nearest of, got 2'):
        nearest_neighbors(queries, [items], 3)
    for other in (items[:, :2], items.astype(np.uint8), items[0]):
        with pytest.raises(ValueError, match='of one D and type'):
            l1_distances(queries, other)
