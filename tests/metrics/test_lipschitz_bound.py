from source.metrics.lipschitz_bound import lipschitz_bound, lipschitz_factors

import numpy as np
import pytest


def norm(W):
    return np.linalg.norm(W, 2)


def test_a_chain_is_the_product():
    assert lipschitz_factors({'c1': 2., 'c2': 3., 'l8': .5}) == {'c1': 2., 'c2': 3., 'l8': .5}
    assert lipschitz_bound({'c1': 2., 'c2': 3., 'l8': .5}) == 3.


def weights(rng, aligned):
    """Of block1 (with c_sc), block2 (without) and l5; with `aligned` all stretch one direction alone, and most."""
    names = 'block1/c1', 'block1/c2', 'block1/c_sc', 'block2/c1', 'block2/c2', 'l5'
    if aligned:
        return {name: np.diag(rng.uniform(1, 2) * np.array([1., .5, .2])) for name in names}
    return {name: rng.normal(size=(3, 3)) for name in names}


@pytest.mark.parametrize('aligned', [False, True])
@pytest.mark.parametrize('projection', [False, True])
def test_against_linear_residual_networks(aligned, projection):
    """It is never below the norm of the whole, and is it where all layers stretch the same direction most."""
    rng = np.random.RandomState(0)
    for _ in range(20):
        W = weights(rng, aligned)
        block1 = W['block1/c_sc'] + W['block1/c2'] @ W['block1/c1']
        block2 = np.eye(3) + W['block2/c2'] @ W['block2/c1']
        embedding = rng.normal(size=(4, 3))
        dense = W['l5'][:1] + (embedding[:1] if projection else 0)
        whole = norm(dense @ block2 @ block1) if not aligned or projection else norm(W['l5'] @ block2 @ block1)
        sigmas = {**{name: norm(w) for name, w in W.items()}, 'l_y': norm(embedding)}
        bound = lipschitz_bound(sigmas, projection)
        assert whole <= bound * (1 + 1e-9)
        if aligned and not projection:
            assert whole == pytest.approx(bound)
    assert list(lipschitz_factors(sigmas, projection)) == ['block1', 'block2', 'l5']


def test_order_of_parts():
    sigmas = dict.fromkeys(('block10/c1', 'block2/c1', 'l7', 'l_ac', 'l_y'), 1.)
    assert list(lipschitz_factors(sigmas)) == ['block2', 'block10', 'l7']
