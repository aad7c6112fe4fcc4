from source.links.singular_value_constrained import USVConvolution2D, USVEmbedID, USVLinear, qr_retraction

import chainer
import chainer.functions as F
import numpy as np
import pytest

MAKERS = {
    'convolution': lambda: USVConvolution2D(3, 5, 3, pad=1), 'wide': lambda: USVConvolution2D(3, 64, 3, pad=1),
    'linear': lambda: USVLinear(6, 4), 'tall': lambda: USVLinear(4, 6), 'row': lambda: USVLinear(6, 1),
    'embed_id': lambda: USVEmbedID(7, 4),
}


def check_constraint(link, atol=1e-5):
    for Q in (link.U.array, link.V.array):
        np.testing.assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=atol)
    np.testing.assert_allclose(abs(link.S.array).max(), 1, rtol=1e-6)
    s = np.linalg.svd(link.W.array.reshape(len(link.W.array), -1), compute_uv=False)
    np.testing.assert_allclose(s, np.sort(abs(link.S.array))[::-1], atol=atol)


@pytest.mark.parametrize('name', MAKERS)
def test_eq_28_at_first_and_after_a_step(name):
    link = MAKERS[name]()
    check_constraint(link)
    optimizer = chainer.optimizers.Adam(.05).setup(link)
    before = link.W.array.copy()
    target = np.random.RandomState(1).normal(size=before.shape).astype('f')
    link.cleargrads()
    F.sum((link.W_bar - target) ** 2).backward()
    optimizer.update()
    with pytest.raises(AssertionError):
        check_constraint(link)
    stepped = link.U.array.copy(), link.V.array.copy()
    link.retract()
    check_constraint(link)
    for Q, X in zip((link.U.array, link.V.array), stepped, strict=True):
        R = Q.T @ X  # qf(X) is X's own Q factor: QᵀX is triangular, its diagonal positive
        np.testing.assert_allclose(np.tril(R, -1), 0, atol=1e-5)
        assert (np.diag(R) > 0).all()
    assert np.abs(link.W.array - before).max() > 1e-3


@pytest.mark.parametrize('name', MAKERS)
def test_retraction_leaves_the_constraint_set_alone(name):
    link = MAKERS[name]()
    before = link.W.array.copy()
    link.retract()
    np.testing.assert_allclose(link.W.array, before, atol=1e-5)


def test_is_a_retraction():
    """R(0) = X, and its derivative at 0 along a tangent ξ is ξ."""
    rng = np.random.RandomState(0)
    X = np.linalg.qr(rng.normal(size=(7, 3)))[0]
    np.testing.assert_allclose(qr_retraction(X), X, atol=1e-12)
    A, Z = rng.normal(size=(3, 3)), rng.normal(size=(7, 3))
    tangent = X @ (A - A.T) + Z - X @ (X.T @ Z)
    t = 1e-5
    np.testing.assert_allclose((qr_retraction(X + t * tangent) - qr_retraction(X - t * tangent)) / (2 * t), tangent,
                               atol=1e-8)


def test_learns_a_target_within_the_constraint():
    """Steps and retractions in turn come to the nearest matrix whose largest singular value is 1."""
    target = np.diag([1., .5, .25]).astype('f')[:, [1, 2, 0]]
    link = USVLinear(3, 3, nobias=True)
    optimizer = chainer.optimizers.Adam(.02).setup(link)
    for _ in range(600):
        link.cleargrads()
        F.sum((link.W_bar - target) ** 2).backward()
        optimizer.update()
        link.retract()
    np.testing.assert_allclose(link.W.array, target, atol=.05)
