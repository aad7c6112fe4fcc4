from tests.kernels.cuda.both_sets import check_everywhere, draw, twin

import chainer
import chainer.functions as F
import numpy as np
import pytest


def draw_labels(b, n_cat):
    return np.random.RandomState(2).randint(0, n_cat, b).astype(np.int32)


@pytest.mark.parametrize('b, n_cat, channels', [(1, 1, 1), (5, 3, 7), (40, 7, 64), (33, 50, 300), (70, 2, 256)])
def test_on_host(host, b, n_cat, channels):
    W, h, labels = draw((n_cat, channels)), draw((b, channels), seed=1), draw_labels(b, n_cat)
    check_everywhere(host, 'embedding', 'lookup', W, labels, rtol=0)
    check_everywhere(host, 'embedding', 'lookup_gradient', h, labels, n_cat)
    check_everywhere(host, 'embedding', 'project', h, W, labels)
    check_everywhere(host, 'embedding', 'project_gradient', draw((b, 1), seed=3), h, W, labels)
    assert len(host.launches) == 4 * 3


def test_twin_against_chainer():
    W, h = (chainer.Variable(draw(shape, np.float64)) for shape in ((4, 6), (9, 6)))
    labels, gy = draw_labels(9, 4), draw((9, 1), np.float64, 3)
    embedded = F.embed_id(labels, W)
    y = F.sum(embedded * h, axis=1, keepdims=True)
    np.testing.assert_array_equal(twin('embedding', 'lookup')(W.array, labels), embedded.array)
    np.testing.assert_allclose(twin('embedding', 'project')(h.array, W.array, labels), y.array, rtol=1e-12)
    y.grad = gy
    y.backward()
    gh, gW = twin('embedding', 'project_gradient')(gy, h.array, W.array, labels)
    np.testing.assert_allclose(gh, h.grad, rtol=1e-12)
    np.testing.assert_allclose(gW, W.grad, rtol=1e-12)
    np.testing.assert_allclose(twin('embedding', 'lookup_gradient')(gy * h.array, labels, 4), W.grad, rtol=1e-12)


def test_refusals(host):
    from source.kernels.cuda import embedding
    with pytest.raises(TypeError, match='int64'):
        embedding.lookup(draw((3, 4)), np.zeros(2, np.int64))
