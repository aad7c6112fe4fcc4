"""A block that reads a data set and leaves no trace: every random state of the process is given its bits back."""
import contextlib
import gc
import random
import sys

from source.command_line.user_code import is_users

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
def kept_random_states(dataset=None):
    """Restore, after the block, all random states that were there before it, and forget those that a data set made.

    Random states are the global ones of NumPy, `random` and an imported torch, and every RandomState, BitGenerator
    (each Generator has one), SeedSequence and random.Random alive; CuPy's are not among them. One that the data set, or
    a user's class or module that it comes from, made in the block and keeps under a name is made anew when it is next
    asked for. Other names, as of counters and buffers, keep what they have.
    """
    namespaces = [(space, dict(vars(space))) for space in _namespaces(dataset)]
    kept = [found for found in map(_kept, gc.get_objects()) if found]
    torch = sys.modules.get('torch')
    if torch is not None:
        kept.append((torch.set_rng_state, (torch.get_rng_state(),)))
    try:
        yield
    finally:
        for restore, arguments in kept:
            restore(*arguments)
        for space, before in namespaces:
            _forget_made(space, before)


def _namespaces(dataset):
    """A data set, the classes of a user's that it is of, and the modules that these stand in."""
    classes = list(filter(is_users, type(dataset).__mro__))
    modules = {cls.__module__: sys.modules[cls.__module__] for cls in classes if cls.__module__ in sys.modules}
    return [space for space in (dataset, *classes, *modules.values()) if hasattr(space, '__dict__')]


def _forget_made(space, before):
    """Give those names of a namespace their values back that stand for a random state now, and did not before."""
    for name, value in list(vars(space).items()):
        if issubclass(type(value), (*_KINDS, np.random.Generator)) and before.get(name) is not value:
            if name in before:
                setattr(space, name, before[name])
            else:
                delattr(space, name)


def _kept(candidate):
    """(function, arguments) that restores what is a random state, or None."""
    kind = type(candidate)  # not isinstance, which asks the object itself and so may wake a lazy one
    for base, (read, write) in _KINDS.items():
        if issubclass(kind, base):
            with contextlib.suppress(Exception):  # one without a state, as SystemRandom, or not yet made
                return write, (candidate, read(candidate))
    return None
