"""Outputs of every network, and gradients along a direction, against plain NumPy in float64."""
from tests.models import definitions, numpy_operations
from tests.models.cases import N_CLASSES, NETWORKS, Case, arrays_of

import chainer
import numpy as np
import pytest


def expected(case, p=None, x=None, condition=None, train=True, vectors=None):
    p = arrays_of(case.model) if p is None else p
    x = case.x if x is None else x
    condition = case.condition if condition is None else condition
    if case.is_generator:
        return definitions.generator(numpy_operations, case.table, p, x, condition, train)
    vectors = definitions.singular_vectors(p) if vectors is None else vectors
    return definitions.discriminator(numpy_operations, case.table, p, vectors, x, condition, case.concat)[0]


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_output(name, class_name, n_classes, train):
    case = Case(name, class_name, n_classes, np.float64)
    y_expected = expected(case, train=train)
    with chainer.using_config('train', train), chainer.no_backprop_mode():
        y = case.model(z=case.x, y=case.y) if case.is_generator else case.model(case.x, case.y)
    assert np.abs(y_expected).max() > .01
    np.testing.assert_allclose(y.array, y_expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize('name, class_name', [NETWORKS[0], NETWORKS[6], NETWORKS[-1]])
def test_gradient_along_a_direction(name, class_name):
    """d/dt of sum(R · f(p + t·direction)), with u and v held as they are at t = 0."""
    case = Case(name, class_name, N_CLASSES, np.float64)
    p = arrays_of(case.model)
    vectors = definitions.singular_vectors(p)
    _, grads = case.run()
    rng = np.random.RandomState(1)
    # Each parameter's share of the sum is of the same size.
    directions = {name: rng.normal(size=grad.shape) / max(np.linalg.norm(grad), 1e-3) for name, grad in grads.items()}

    def along(t):
        moved = {name: array + t * directions[name] if name in directions else array for name, array in p.items()}
        return (case.R * expected(case, moved, case.x + t * directions['x'], vectors=vectors)).sum()
    t = 1e-7
    np.testing.assert_allclose(sum((grads[name] * directions[name]).sum() for name in grads),
                               (along(t) - along(-t)) / (2 * t), rtol=1e-5)


@pytest.mark.parametrize('name', definitions.GENERATORS)
def test_blended_labels(name):
    case = Case(name, 'ResNetGenerator', N_CLASSES, np.float64)
    y = np.array([[0, 1], [1, 2], [2, 2]], np.int32)
    weights = np.array([[1, 0], [.3, .7], [.5, .5]])
    condition = np.array([[1, 0, 0], [0, .3, .7], [0, 0, 1]])
    with chainer.using_config('train', False):
        x = case.model(z=case.x, y=y, weights=weights)
        plain = case.model(z=case.x, y=np.array([0, 1, 2], np.int32))
    np.testing.assert_allclose(x.array, expected(case, condition=condition, train=False), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(x.array[[0, 2]], plain.array[[0, 2]], rtol=1e-9)
    assert np.abs(x.array[1] - plain.array[1]).max() > 1e-3
