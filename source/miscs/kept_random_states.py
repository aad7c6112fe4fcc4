"""Every random state of the process, given its bits back after a block that may draw from it."""
import contextlib
import gc
import random
import sys

import numpy as np

# class: what its object's state is read by, and written by
_KINDS = {
    np.random.RandomState: (lambda rng: rng.get_state(legacy=False), lambda rng, state: rng.set_state(state)),
    np.random.BitGenerator: (lambda rng: rng.state, lambda rng, state: setattr(rng, 'state', state)),
    np.random.SeedSequence: (lambda seeds: seeds.__reduce__()[2],  # which counts the children it gave
                             lambda seeds, state: seeds.__setstate__(state)),
    random.Random: (lambda rng: rng.getstate(), lambda rng, state: rng.setstate(state)),
}


@contextlib.contextmanager
def kept_random_states():
    """Restore, after the block, all random states that were there before it.

    These are the global ones of NumPy, `random` and an imported torch, and every RandomState, BitGenerator (each
    Generator has one), SeedSequence and random.Random alive. CuPy's are not among them.
    """
    kept = [found for found in map(_kept, gc.get_objects()) if found]
    torch = sys.modules.get('torch')
    if torch is not None:
        kept.append((torch.set_rng_state, (torch.get_rng_state(),)))
    try:
        yield
    finally:
        for restore, arguments in kept:
            restore(*arguments)


def _kept(candidate):
    """(function, arguments) that restores what is a random state, or None."""
    kind = type(candidate)  # not isinstance, which asks the object itself and so may wake a lazy one
    for base, (read, write) in _KINDS.items():
        if issubclass(kind, base):
            with contextlib.suppress(Exception):  # one without a state, as SystemRandom, or not yet made
                return write, (candidate, read(candidate))
    return None
