"""The discriminator's residual blocks (Table 4-6, Figure 8), normalized as `norm` says."""
import math

from source.functions.resample import downsample as downsample_by_two
from source.functions.residual import branch, join
from source.links.norms import Norm

import chainer
import chainer.functions as F
from chainer.initializers import GlorotUniform


class Block(chainer.Chain):
    """Activation, 3×3, activation, 3×3 (, average pooling), plus a shortcut.

    x (B, in_channels, H, W) → (B, out_channels, H, W), or (…, H/2, W/2) with `downsample`. The shortcut is a 1×1
    convolution where size or width changes. Layer or batch normalization, where `norm` (a `Norm`, by default
    spectral) is that, comes before each activation.
    """

    def __init__(self, in_channels, out_channels, hidden_channels=None, ksize=3, pad=1, activation=F.relu,
                 downsample=False, norm=None):
        super().__init__()
        norm = norm or Norm()
        hidden_channels = hidden_channels or in_channels
        self.activation, self.downsample = activation, downsample
        self.learnable_sc = downsample or in_channels != out_channels
        with self.init_scope():
            self.c1 = norm.convolution_2d(in_channels, hidden_channels, ksize, pad=pad,
                                          initialW=GlorotUniform(math.sqrt(2)))
            self.c2 = norm.convolution_2d(hidden_channels, out_channels, ksize, pad=pad,
                                          initialW=GlorotUniform(math.sqrt(2)))
            if self.learnable_sc:
                self.c_sc = norm.convolution_2d(in_channels, out_channels, 1, initialW=GlorotUniform())
            self.n1, self.n2 = norm.between(in_channels), norm.between(hidden_channels)

    def _convolve(self, conv, x, activation=None):
        return conv.before_downsampling(x, activation) if self.downsample else conv(x, activation)

    def residual(self, x):
        h = x if self.n1 is None else self.n1(x)
        h = self.c1(h, self.activation, next_activation=self.activation if self.n2 is None else None)
        h = h if self.n2 is None else self.n2(h)
        return self._convolve(self.c2, h, self.activation)

    def shortcut(self, x):
        return self._convolve(self.c_sc, x) if self.learnable_sc else x

    def forward(self, x):
        is_activated = self.n1 is None and type(self).residual is Block.residual
        for_residual, for_shortcut = branch(x, self.activation if is_activated else None)
        return join(self.residual(for_residual), self.shortcut(for_shortcut))


class OptimizedBlock(chainer.Chain):
    """The first block: 3×3, activation, 3×3, average pooling, plus pooling and 1×1.

    x (B, in_channels, H, W) → (B, out_channels, H/2, W/2). There is no activation before the first convolution, as x
    is an image, and no layer or batch normalization within (as in Gulrajani et al.'s first block).
    """

    def __init__(self, in_channels, out_channels, ksize=3, pad=1, activation=F.relu, norm=None):
        super().__init__()
        norm = norm or Norm()
        self.activation = activation  # Differs from sngan_projection: there this block always takes ReLU.
        with self.init_scope():
            self.c1 = norm.convolution_2d(in_channels, out_channels, ksize, pad=pad,
                                          initialW=GlorotUniform(math.sqrt(2)))
            self.c2 = norm.convolution_2d(out_channels, out_channels, ksize, pad=pad,
                                          initialW=GlorotUniform(math.sqrt(2)))
            self.c_sc = norm.convolution_2d(in_channels, out_channels, 1, initialW=GlorotUniform())

    def residual(self, x):
        return self.c2.before_downsampling(self.c1(x, next_activation=self.activation), self.activation)

    def shortcut(self, x):
        return self.c_sc(downsample_by_two(x))

    def forward(self, x):
        for_residual, for_shortcut = branch(x)
        return join(self.residual(for_residual), self.shortcut(for_shortcut))
