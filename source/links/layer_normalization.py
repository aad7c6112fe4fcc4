from source.functions.layer_normalization import layer_normalize
from source.links.constant_weights import as_configured

import chainer
from chainer import variable


class LayerNormalization(chainer.Link):
    """Layer normalization of x (B, C, H, W) over C, H and W, with a shift `beta` (C,) and no multiplier."""

    def __init__(self, size, eps=2e-5):
        super().__init__()
        self.eps = eps
        with self.init_scope():
            self.beta = variable.Parameter(0, size)

    def forward(self, x):
        return layer_normalize(x, as_configured(self.beta), self.eps)
