"""Spectral normalization of all weights that one call of a network reads, at once instead of one by one.

A GPU takes longer to start the small products of a power iteration than to compute them. So on the GPU's road the first
weight read within `normalized_together` brings all those that the same call read last time, in a fixed handful of
launches. Each layer's numbers, and the steps of its `u`, are those of the weights read one by one.
"""
import contextlib
import threading

from source.functions.prepared_weights import computed, prepared_together
from source.functions.spectral_normalization import joint_spectral_normalization
from source.kernels.switch import kernels
from source.links.constant_weights import as_configured

import chainer

_local = threading.local()


@contextlib.contextmanager
def normalized_together(model, call=None, us=None, stores=True):
    """Within it, `model` is called once; `call` tells calls apart that read different weights.

    Its convolutions' weights are prepared together, too (`prepared_together`). It yields an object with the links whose
    weights have been `read` and the new `us` {link: u}. Power iterations begin with these of another call, where that
    is given; without `stores`, it is left to the object's method `store` to write the new ones.
    """
    previous = getattr(_local, 'call', None)
    reads = model.__dict__.setdefault('_weights_read', {})
    current = _local.call = _Call(reads.get((id(model), call), ()), us)
    try:
        with prepared_together(model, call):
            yield current
        if stores:
            current.store()
        reads[id(model), call] = tuple(current.read)
    finally:
        _local.call = previous


def jointly_normalized(link):
    """W_bar of a spectrally normalized link on the GPU's road, before its gamma."""
    current = getattr(_local, 'call', None)
    if current is not None:
        return current.normalized(link)
    alone = _Call(())
    W_bar = alone.normalized(link)
    alone.store()
    return W_bar


class _Call:

    def __init__(self, expected, first_us=None):
        self.expected, self.read, self.us = expected, [], {}
        self._first_us, self._prepared, self._to_store = first_us or {}, {}, []

    def prepare(self):
        """Normalizes all weights that the same call read last time, before any is read."""
        self._normalize(self.expected)

    def normalized(self, link):
        if link not in self._prepared:
            together = self.expected if link in self.expected and link not in self.read else (link,)
            if link in self.read:
                self.store()  # read a second time, it goes on from the u of the first
            self._normalize([other for other in together if other not in self.read or other is link])
        W_bar, u = self._prepared.pop(link)
        self._to_store.append((link, u))
        self.read.append(link)
        return W_bar

    def _normalize(self, links):
        self._prepared.update(_normalized(links, {link: self._first_us.get(link, link.u) for link in links}))
        for link in links:
            W_bar, self.us[link] = self._prepared[link]
            computed(link, W_bar.array)

    def store(self):
        """Writes, and returns, the new u of what was read, all at once; what was prepared in vain keeps its own."""
        stored, self._to_store = self._to_store, []
        if stored and chainer.config.train:
            targets, sources = zip(*((link.u, u) for link, u in stored), strict=True)
            kernels('spectral_normalization.store', *targets).store(list(targets), list(sources))
        return stored


def _normalized(links, us):
    """{link: (W_bar, new u)}."""
    results = {}
    for Ip in dict.fromkeys(link.Ip for link in links):
        group = [link for link in links if link.Ip == Ip]
        Ws = [link._rows_first(as_configured(link.W)) for link in group]
        factors = [1. if link.factor is None else link.factor for link in group]
        W_bars, new_us = joint_spectral_normalization(Ws, [us[link] for link in group], factors, Ip)
        results.update({link: (link._rows_back(W_bar), u)
                        for link, W_bar, u in zip(group, W_bars, new_us, strict=True)})
    return results
