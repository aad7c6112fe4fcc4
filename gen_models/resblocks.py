"""The generator's residual block (Table 4-6, Figure 8)."""
import math

from source.functions.batch_normalization import cancels_bias
from source.functions.residual import branch, join
from source.links.batch_normalization import BatchNormalization
from source.links.categorical_conditional_batch_normalization import CategoricalConditionalBatchNormalization
from source.links.convolution_2d import Convolution2D

import chainer
import chainer.functions as F
from chainer.initializers import GlorotUniform


class Block(chainer.Chain):
    """Batch norm, activation, (upsampling,) 3×3, batch norm, activation, 3×3, plus a shortcut.

    x (B, in_channels, H, W) → (B, out_channels, H, W), or (…, 2H, 2W) with `upsample`. The shortcut is a 1×1
    convolution where size or width changes. Batch normalization is conditional if `n_classes` > 0.
    """

    def __init__(self, in_channels, out_channels, hidden_channels=None, ksize=3, pad=1, activation=F.relu,
                 upsample=False, n_classes=0):
        super().__init__()
        hidden_channels = hidden_channels or out_channels
        self.activation, self.upsample, self.n_classes = activation, upsample, n_classes
        self.learnable_sc = upsample or in_channels != out_channels
        with self.init_scope():
            self.c1 = Convolution2D(in_channels, hidden_channels, ksize, pad=pad, initialW=GlorotUniform(math.sqrt(2)))
            self.c2 = Convolution2D(hidden_channels, out_channels, ksize, pad=pad, initialW=GlorotUniform(math.sqrt(2)))
            self.b1 = self._batch_normalization(in_channels)
            self.b2 = self._batch_normalization(hidden_channels)
            if self.learnable_sc:
                self.c_sc = Convolution2D(in_channels, out_channels, 1, initialW=GlorotUniform())

    def _batch_normalization(self, size):
        if self.n_classes > 0:
            return CategoricalConditionalBatchNormalization(size, self.n_classes)
        return BatchNormalization(size)

    def _convolve(self, conv, x, **kwargs):
        return conv.after_upsampling(x, **kwargs) if self.upsample else conv(x)

    def residual(self, x, y=None, **kwargs):
        condition = () if y is None else (y,)
        h = self.b1(x, *condition, activation=self.activation, **kwargs)
        if self._leaves_bias_to_b2(h):
            h, kwargs = self._convolve(self.c1, h, with_bias=False), {**kwargs, 'bias': self.c1.b}
        else:
            h = self._convolve(self.c1, h)
        h = self.b2(h, *condition, activation=self.activation, **kwargs)
        return self.c2(h)

    def _leaves_bias_to_b2(self, h):
        """Whether c1's bias would be added in a pass of its own, which b2 can do without."""
        is_ours = isinstance(self.b2, BatchNormalization | CategoricalConditionalBatchNormalization)
        return (is_ours and type(self)._convolve is Block._convolve and self.upsample and chainer.config.train
                and cancels_bias(h))

    def shortcut(self, x):
        return self._convolve(self.c_sc, x) if self.learnable_sc else x

    def forward(self, x, y=None, **kwargs):
        """`y`: labels; `weights` and `finetune` go to the batch normalization."""
        for_residual, for_shortcut = branch(x)
        return join(self.residual(for_residual, y, **kwargs), self.shortcut(for_shortcut))
