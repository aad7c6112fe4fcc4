"""A block may draw from any random state; afterwards each gives what it would have given."""
import contextlib
import random
import sys
from types import SimpleNamespace

from source.training.kept_random_states import kept_random_states

import numpy as np

_made = None


def draws(rng):
    """Odd numbers of draws of 32 bits and of Gaussian ones, of which half a pair is kept for the next."""
    if isinstance(rng, np.random.SeedSequence):
        return rng.spawn(2)[1].generate_state(1).tolist()
    if hasattr(rng, 'spawn'):
        return [*rng.standard_normal(3), rng.bytes(3), rng.spawn(1)[0].random()]
    if hasattr(rng, 'standard_normal'):
        return [*rng.standard_normal(3), rng.bytes(3)]
    return [rng.gauss(0, 1), rng.random(), rng.getrandbits(17)]


def test_every_kind():
    kinds = [np.random, random, np.random.SeedSequence(1), np.random.RandomState(3), np.random.default_rng(4),
             np.random.RandomState(np.random.PCG64(3)), np.random.Generator(np.random.SFC64(5)), random.Random(6),
             type('Mine', (random.Random,), {})(7)]
    for rng in kinds:
        draws(rng)
    for _ in range(2):  # once more: a check may be made twice
        with kept_random_states():
            expected = [draws(rng) + draws(rng) for rng in kinds]
            for rng in kinds:
                draws(rng)
    assert [draws(rng) + draws(rng) for rng in kinds] == expected


class Lazy:
    """Makes its states when they are first asked for: as an attribute, its class's and its module's."""

    made = None

    def __call__(self):
        global _made
        if not hasattr(self, 'own'):
            self.own, Lazy.made, _made = (np.random.RandomState(seed) for seed in range(3))
        return [rng.rand() for rng in (self.own, Lazy.made, _made)]


def test_states_that_are_made_within():
    lazy = Lazy()
    with kept_random_states(lazy):
        expected = lazy()
        lazy()
    assert (vars(lazy), Lazy.made, _made) == ({}, None, None)
    assert lazy() == expected


def test_after_an_exception_and_beside_what_has_no_state(monkeypatch):
    others = random.SystemRandom(), np.random.RandomState.__new__(np.random.RandomState)
    rng, of_torch = np.random.RandomState(1), [1]
    monkeypatch.setitem(sys.modules, 'torch', SimpleNamespace(
        get_rng_state=lambda: of_torch[0], set_rng_state=lambda value: of_torch.__setitem__(0, value)))
    with contextlib.suppress(ZeroDivisionError), kept_random_states():
        of_torch[0] = rng.rand() + others[0].random()
        raise ZeroDivisionError
    assert (rng.rand(), of_torch) == (np.random.RandomState(1).rand(), [1])
