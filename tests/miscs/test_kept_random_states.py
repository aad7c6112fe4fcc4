"""A block may draw from any random state; afterwards each gives what it would have given."""
import contextlib
import random
import sys
from types import SimpleNamespace

from source.miscs.kept_random_states import kept_random_states

import numpy as np

MAKERS = {
    'NumPy': lambda: np.random, 'Python': lambda: random,
    'RandomState': lambda: np.random.RandomState(3), 'of PCG64': lambda: np.random.RandomState(np.random.PCG64(3)),
    'Generator': lambda: np.random.default_rng(4), 'SFC64': lambda: np.random.Generator(np.random.SFC64(5)),
    'Random': lambda: random.Random(6), 'subclass': lambda: type('Mine', (random.Random,), {})(7)}


def draws(rng):
    """Odd numbers of draws of 32 bits and of Gaussian ones, of which half a pair is kept for the next."""
    if hasattr(rng, 'standard_normal'):
        integers = rng.integers if hasattr(rng, 'integers') else rng.randint
        return [rng.standard_normal(), *rng.standard_normal(2), *integers(9, size=3, dtype=np.int32)]
    return [rng.gauss(0, 1), rng.random(), rng.getrandbits(17)]


def test_every_kind():
    kinds = {name: make() for name, make in MAKERS.items()}
    for rng in kinds.values():
        draws(rng)
    for _ in range(2):  # once more: a check may be made twice
        with kept_random_states():
            expected = {name: draws(rng) + draws(rng) for name, rng in kinds.items()}
            for rng in kinds.values():
                draws(rng)
    assert {name: draws(rng) + draws(rng) for name, rng in kinds.items()} == expected


def test_children_of_a_seed_sequence():
    seeds, rng = np.random.SeedSequence(1), np.random.default_rng(2)

    def spawned():
        return seeds.spawn(2)[1].generate_state(1), rng.spawn(1)[0].integers(1000)
    with kept_random_states():
        expected = spawned()
    assert spawned() == expected


class Lazy:
    """Makes its states when they are first asked for: as an attribute, its class's and its module's."""

    made = None

    def __call__(self):
        global _made
        if not hasattr(self, 'own'):
            self.own, Lazy.made, _made = (np.random.RandomState(seed) for seed in range(3))
        return [rng.rand() for rng in (self.own, Lazy.made, _made)]


_made = None


def test_states_that_are_made_within():
    lazy = Lazy()
    with kept_random_states(lazy):
        expected = lazy()
        lazy()
    assert (vars(lazy), Lazy.made, _made) == ({}, None, None)
    assert lazy() == expected


def test_after_an_exception_and_beside_what_has_no_state(monkeypatch):
    """Of torch, where it is imported, too."""
    class Broken(random.Random):
        def getstate(self):
            raise KeyError
    others = random.SystemRandom(), Broken(), np.random.RandomState.__new__(np.random.RandomState)
    rng, of_torch = np.random.RandomState(1), [1]
    monkeypatch.setitem(sys.modules, 'torch', SimpleNamespace(
        get_rng_state=lambda: of_torch[0], set_rng_state=lambda value: of_torch.__setitem__(0, value)))
    with contextlib.suppress(ZeroDivisionError), kept_random_states():
        of_torch[0] = rng.rand() + others[0].random()
        raise ZeroDivisionError
    assert (rng.rand(), of_torch) == (np.random.RandomState(1).rand(), [1])
