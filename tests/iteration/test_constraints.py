from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from source.iteration.constraints import constrain, make_constraints

import numpy as np
import pytest


def singular_values(W):
    return np.linalg.svd(W.array.reshape(len(W.array), -1), compute_uv=False)


def constrained(spec):
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=3, norm='none')
    before = {path: param.array.copy() for path, param in dis.namedparams()}
    constrain(dis, make_constraints(spec), 1)
    return before, {path: param.array for path, param in dis.namedparams()}


def test_clipping():
    """Convolutions alone, every element; what is inside stays."""
    before, after = constrained({'clipping': {'c': .05}})
    clipped = {path for path, W in before.items() if path.endswith('/W') and W.ndim == 4}
    assert {path for path, W in before.items() if abs(W).max() > .05} == {*clipped, '/l5/W', '/l_y/W'}
    for path, W in before.items():
        np.testing.assert_array_equal(after[path], np.clip(W, -.05, .05) if path in clipped else W)
    assert len(clipped) == 10


def test_singular_value_clipping():
    """Values above K become K, the others and all singular vectors stay, in every weight."""
    before, after = constrained({'singular_value_clipping': {'K': 1.2}})
    for path, W in before.items():
        if path.endswith('/W'):
            U, S, Vt = np.linalg.svd(W.reshape(len(W), -1), full_matrices=False)
            np.testing.assert_allclose(after[path].reshape(len(U), -1), U * np.minimum(S, 1.2) @ Vt, atol=1e-5)
        else:
            np.testing.assert_array_equal(after[path], W)
    assert sum(abs(after[path] - W).max() > .01 for path, W in before.items()) >= 8


def test_singular_value_clipping_passes_over_what_is_not_finite():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    dis.c1.W.array[...] = 1.
    dis.c2.W.array[0, 0, 0, 0] = np.nan
    before = dis.c2.W.array.copy()
    constrain(dis, make_constraints({'singular_value_clipping': {}}), 1)
    np.testing.assert_array_equal(dis.c2.W.array, before)
    assert singular_values(dis.c1.W)[0] < 1.01


def test_every_kth_update():
    dis = SNCNNDiscriminator(ch=2, norm='none')
    constraints = make_constraints({'singular_value_clipping': {'every': 3}})
    assert constraints[0].K == 1 and make_constraints({'clipping': None})[0].c == .01  # the papers' constants
    clipped = []
    for n_updates in range(1, 8):
        dis.c1.W.array[...] = 1.
        constrain(dis, constraints, n_updates)
        clipped.append(bool(singular_values(dis.c1.W)[0] < 1.01))
    assert clipped == [n in (3, 6) for n in range(1, 8)]


def test_retractions_come_without_being_named():
    dis = SNCNNDiscriminator(ch=2, norm='singular_values')
    for link in dis.links():
        if hasattr(link, 'U'):
            link.U.array *= 1.5
            link.S.array *= 2
    constrain(dis, [], 1)
    assert {round(float(singular_values(link.W)[0]), 4) for link in dis.links() if hasattr(link, 'U')} == {1.}


@pytest.mark.parametrize('spec, message', [
    ({'cliping': {}}, "constraints.cliping: unknown key; did you mean 'clipping'?"),
    ({'clipping': {'C': 1}}, "constraints.clipping.C: unknown key; known are c"),
    ({'clipping': {'c': 0}}, 'constraints.clipping: c must be above 0, got 0.0'),
    ({'clipping': {'c': 'wide'}}, "constraints.clipping.c: expected float, found 'wide'"),
    ({'clipping': 3}, 'constraints.clipping: expected arguments with their values, found 3'),
    ({'singular_value_clipping': {'every': 0}}, 'every must be at least 1, got 0'),
    ({'singular_value_clipping': {'K': 0}}, 'K must be above 0, got 0'),
    (['clipping'], 'constraints: expected names with their arguments')])
def test_refuses(spec, message):
    with pytest.raises(ValueError) as error:
        make_constraints(spec)
    assert message in str(error.value) and '\n' not in str(error.value)
