"""Gradients of one of several forward passes, kept apart, so that whoever uses them adds them up on the way."""
import contextlib

import chainer


class FurtherGradients:
    """Forward passes within `gathered` leave the gradients of weights, which links read by `as_configured`, here."""

    def __init__(self):
        self._stand_ins = {}

    @contextlib.contextmanager
    def gathered(self):
        with chainer.using_config('further_gradients', self):
            yield

    def stand_in(self, weight):
        """A Variable on the weight's own array, the same one each time; what is no parameter stands for itself."""
        if not isinstance(weight, chainer.Parameter) or weight.array is None:
            return weight
        if id(weight) not in self._stand_ins:
            self._stand_ins[id(weight)] = chainer.Variable(weight.array), weight
        return self._stand_ins[id(weight)][0]

    def covers(self, parameters):
        """Whether each of them was read by `as_configured`, so that none gets these gradients itself."""
        return all(id(parameter) in self._stand_ins for parameter in parameters)

    def of(self, parameter):
        """The gradient gathered, an array, or None."""
        stand_in, _ = self._stand_ins.get(id(parameter), (None, None))
        return None if stand_in is None else stand_in.grad
