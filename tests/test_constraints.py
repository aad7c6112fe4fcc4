from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from source.constraints import constrain, make_constraints

import numpy as np
import pytest


def singular_values(W):
    return np.linalg.svd(W.array.reshape(len(W.array), -1), compute_uv=False)


def test_clipping():
    """Convolutions alone, every element; what is inside stays."""
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=3, norm='none')
    before = {path: param.array.copy() for path, param in dis.namedparams()}
    constrain(dis, make_constraints({'clipping': {'c': .05}}), 1)
    clipped = 0
    for path, param in dis.namedparams():
        is_clipped = path.endswith('/W') and param.ndim == 4
        expected = np.clip(before[path], -.05, .05) if is_clipped else before[path]
        np.testing.assert_array_equal(param.array, expected)
        clipped += is_clipped and np.abs(before[path]).max() > .05
    assert clipped == 10
    for path in ('/l5/W', '/l_y/W'):
        assert np.abs(before[path]).max() > .05


def test_singular_value_clipping():
    """Values above K become K, the others and all singular vectors stay, in every weight."""
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=3, norm='none')
    before = {path: param.array.copy() for path, param in dis.namedparams()}
    constrain(dis, make_constraints({'singular_value_clipping': {'K': 1.2}}), 1)
    smaller = 0
    for path, param in dis.namedparams():
        if not path.endswith('/W'):
            np.testing.assert_array_equal(param.array, before[path])
            continue
        U, S, Vt = np.linalg.svd(before[path].reshape(len(before[path]), -1), full_matrices=False)
        np.testing.assert_allclose(singular_values(param), np.minimum(S, 1.2), rtol=1e-4)
        np.testing.assert_allclose(param.array.reshape(len(U), -1), U * np.minimum(S, 1.2) @ Vt, atol=1e-5)
        smaller += S[0] > 1.21
    assert smaller >= 8


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
    (['clipping'], 'constraints: expected names with their arguments'),
])
def test_refuses(spec, message):
    with pytest.raises(ValueError) as error:
        make_constraints(spec)
    assert message in str(error.value) and '\n' not in str(error.value)
