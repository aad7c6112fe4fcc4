"""An exponential moving average of the generator's weights (Karras et al., 2018, Section 6; Brock et al., 2019)."""
import copy

import numpy as np


class AveragedGenerator:
    """`gen`, a copy of a generator that follows it: after each update w̄ ← d·w̄ + (1 − d)·w.

    d = min(decay, (1 + t) / (10 + t)) after the t-th update, so that a short run does not carry its first weights
    along. The averages of batch statistics are averaged alike; other persistent values are copied. It draws nothing
    and changes nothing of the generator it follows. Raises ValueError for a decay outside (0, 1).
    """

    def __init__(self, gen, decay):
        if not 0 < decay < 1:
            raise ValueError(f'ema, the decay of averaged weights, must be between 0 and 1, got {decay!r}')
        self.decay, self.t = decay, 0
        self.gen = copy.deepcopy(gen)
        for parameter in self.gen.params():
            parameter.cleargrad()
            parameter.update_rule = None

    def update(self, gen):
        self.t += 1
        decay = min(self.decay, (1 + self.t) / (10 + self.t))
        for (_, average), (_, new) in zip(self.gen.namedparams(), gen.namedparams(), strict=True):
            if average.array is None:  # lazy, and first seen by the generator's first update
                average.initialize(new.shape)
                average.array[...] = new.array
            average.array += (1 - decay) * (new.array - average.array)
        for average, new in zip(self.gen.links(), gen.links(), strict=True):
            for name in average._persistent:
                value = getattr(new, name)
                if isinstance(value, new.xp.ndarray) and value.dtype.kind == 'f' and value.ndim:
                    array = getattr(average, name)
                    array += (1 - decay) * (value - array)
                else:
                    setattr(average, name, copy.copy(value))

    def serialize(self, serializer):
        self.t = int(serializer('t', np.int64(self.t)))
        self.gen.serialize(serializer['gen'])
