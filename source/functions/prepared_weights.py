"""Weights as a GPU's convolutions read them, prepared for a whole call of a network at once instead of one by one.

Preparing is copying into another layout and type, and launching it takes longer than doing it. So the first convolution
within `prepared_together` has all those weights prepared that the same call read last time. What is prepared serves
that call, and the backward pass through it, alone: the next one reads the weights anew, whoever changed them.
"""
import contextlib
import threading
import weakref
from typing import NamedTuple

_local = threading.local()


@contextlib.contextmanager
def prepared_together(model, call=None):
    """Within it, `model` is called once and no weight changes; `call` tells calls apart that read different weights."""
    previous = getattr(_local, 'call', None)
    memory = model.__dict__.setdefault('_weights_prepared', _Memory())
    current = _local.call = _Call(memory.get((id(model), call), ()))
    try:
        yield
        memory[id(model), call] = tuple(current.asked)
    finally:
        _local.call = previous


def computed(key, W):
    """Says that W, an array, is what this call computed as the weight that `key` names from call to call."""
    call = getattr(_local, 'call', None)
    if call is not None:
        call.computed(key, W)


def prepared(kernel, W, b, dtype):
    """What `kernel` reads in place of arrays W and b (or None), where activations are of `dtype`."""
    if not hasattr(kernel.module, 'prepared'):
        return W, b
    call = getattr(_local, 'call', None) or _Call(())
    return call.prepared(kernel, W, b, dtype)


class _Memory(dict):
    """Of a model's calls; a copy of the model begins with none, as this is about the model's own arrays."""

    def __deepcopy__(self, memo):
        return _Memory()

    def __reduce__(self):
        return _Memory, ()


class _Request(NamedTuple):
    """What a convolution asked for; of its weight the key, or a weak reference to an array that need not live on."""
    key: object
    reference: object
    b: object
    kernel: tuple
    dtype: object


class _Call:

    def __init__(self, expected):
        self.expected, self.asked = expected, []
        self._arrays, self._keys = {}, {}  # computed weights by key; keys and weights by the weight's id
        self._ready = {}  # what is prepared, with the arrays it was made of, so that their ids remain theirs

    def computed(self, key, W):
        self._arrays[key], self._keys[id(W)] = W, (key, W)

    def prepared(self, kernel, W, b, dtype):
        key, _ = self._keys.get(id(W), (None, None))
        self.asked.append(_Request(key, None if key is not None else weakref.ref(W), b, kernel, dtype))
        if _place(kernel, W, b, dtype) not in self._ready:
            self._prepare([(kernel, W, b), *self._foreseen(kernel.module, dtype)], dtype)
        return self._ready[_place(kernel, W, b, dtype)][-1]

    def _foreseen(self, module, dtype):
        """(kernel, W, b) of what the last call asked for and this one has got by now."""
        for key, reference, b, kernel, its_dtype in self.expected:
            W = self._arrays.get(key) if reference is None else reference()
            if W is not None and kernel.module is module and its_dtype == dtype:
                yield kernel, W, b

    def _prepare(self, wanted, dtype):
        wanted = {_place(*one, dtype): one for one in wanted}
        missing = [(place, *one) for place, one in wanted.items() if place not in self._ready]
        made = missing[0][1].module.prepared([(kernel.name, W, b) for _, kernel, W, b in missing], dtype)
        for (place, _, W, b), result in zip(missing, made, strict=True):
            self._ready[place] = W, b, result


def _place(kernel, W, b, dtype):
    return id(W), id(b), kernel.name, dtype
