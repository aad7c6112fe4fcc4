from source.functions.linear import linear
from source.links.constant_weights import as_configured

import chainer.links as L


class Linear(L.Linear):
    """Chainer's dense layer. The weight is read as `W_bar`, so that a subclass can normalize it."""

    def __init__(self, in_size, out_size, nobias=False, initialW=None, initial_bias=None):
        super().__init__(in_size, out_size, nobias, initialW, initial_bias)

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x):
        if self.W.array is None:
            self._initialize_params(x.size // x.shape[0])
        return linear(x, self.W_bar, as_configured(self.b))
