"""An update made of several parts, one after another, as several processes would make it at once.

Each part is a batch of its own: gradients are averaged, batch statistics are those of the part, and what a forward pass
steps, as `u`, is stepped once for all parts. One process so computes what several would, in the memory of one part.
"""
import contextlib

from source.kernels.switch import kernels

import numpy as np


class Parts:
    """The `n` parts of an update; `index` is that of the part being made, None between updates."""

    def __init__(self, n=1):
        self.n, self.index = n, None
        self._dealt, self._begun = [], {}

    def mean(self, compute):
        """Call `compute` for each part; return the means of what it returns, {name: array}."""
        if self.n == 1:
            return compute()
        means = {}
        for k in range(self.n):
            with self._part(k):
                for name, value in compute().items():
                    if k == 0:
                        means[name] = value.copy()
                    else:
                        means[name] += value
        for mean in means.values():
            mean /= self.n
        return means

    @contextlib.contextmanager
    def _part(self, k):
        self.index, self._n_dealt = k, 0
        is_last = True
        try:
            yield
            is_last = k == self.n - 1
        finally:
            self.index = None
            if is_last:
                self._dealt, self._begun = [], {}

    def deal(self, draw):
        """This part's share of what `draw(n)` returns, a tuple of arrays for n parts, one part after another.

        The first part draws for all; the others have to ask for the same in the same order. Between updates all is one.
        """
        if self.n == 1 or self.index is None:
            return draw(1)
        if self.index == 0:
            self._dealt.append(draw(self.n))
        dealt = self._dealt[self._n_dealt]
        self._n_dealt += 1
        return tuple(self.slice(array) for array in dealt)

    def slice(self, array):
        """This part of an array of all parts' samples."""
        size = len(array) // self.n
        return array[self.index * size:(self.index + 1) * size]

    def backward(self, loss):
        """Add the gradients of this part's share of the mean loss to those of the parts before."""
        if self.n > 1:
            loss.grad = loss.xp.full_like(loss.array, 1 / self.n)
        loss.backward()

    @contextlib.contextmanager
    def alike(self, *links):
        """Start every part from the persistent values that the first part started from; keep the first part's results.

        So every part has the same `u`, and averages of batch statistics are the first part's, as of several processes
        those of the first are what snapshots hold.
        """
        if self.n == 1 or self.index is None:
            yield
        elif self.index == 0:
            for link in links:
                self._begun[link] = Persistents(link)
            yield
        else:
            kept = [Persistents(link) for link in links]
            for link in links:
                self._begun[link].restore()
            try:
                yield
            finally:
                for persistents in kept:
                    persistents.restore()


class Persistents:
    """The persistent values of a link and its children, copied; `restore` gives them back."""

    def __init__(self, link):
        self._values = [(owner, name, getattr(owner, name)) for owner in link.links()
                        for name in sorted(owner._persistent)]
        self._arrays = [value for *_, value in self._values if isinstance(value, link.xp.ndarray)]
        self._copies = [link.xp.empty_like(array) for array in self._arrays]
        _store(self._copies, self._arrays)

    def restore(self):
        _store(self._arrays, self._copies)
        for owner, name, value in self._values:
            setattr(owner, name, value)


def _store(targets, sources):
    """targets become sources, in place; a GPU takes all of float32 at once."""
    pairs = list(zip(targets, sources, strict=True))
    of_floats = [pair for pair in pairs if pair[0].dtype == np.float32]
    joint = kernels('spectral_normalization.store', *targets) if of_floats else None
    if joint is not None:
        joint.store(*map(list, zip(*of_floats, strict=True)))
        pairs = [pair for pair in pairs if pair[0].dtype != np.float32]
    for target, source in pairs:
        target[...] = source


class Share:
    """A random state that draws the same numbers in every process and part, and gives each those of its images.

    `iterator` is this process's BatchIterator.
    """

    def __init__(self, rng, iterator, parts):
        self._rng, self._iterator, self._parts = rng, iterator, parts

    def uniform(self, low=0., high=1., size=None):
        if not isinstance(size, int):
            raise ValueError(f'expected the number of samples, found {size!r}')
        iterator = self._iterator
        numbers, = self._parts.deal(lambda n: (iterator.share(
            self._rng.uniform(low, high, size * n * iterator.n_processes)),))
        return numbers

    def normal(self, size):
        """The same numbers in every process and part, all of them."""
        return self._rng.normal(size=size)

    def get_state(self):
        return self._rng.get_state()

    def set_state(self, state):
        self._rng.set_state(state)
