"""What all ResNet discriminators share; a network's own file holds its table of widths and names."""
from dis_models.resblocks import Block, OptimizedBlock
from source.functions.activation import activate
from source.links.sn_embed_id import SNEmbedID
from source.links.sn_linear import SNLinear

import chainer
import chainer.functions as F
from chainer.initializers import GlorotUniform


class SNResNetDiscriminatorBase(chainer.Chain):
    """Residual blocks, activation, global sum pooling; a subclass adds the head.

    Args:
        ch: unit of width.
        n_classes: number of classes; 0 for an unconditional discriminator.
        activation: of the blocks and before pooling.
    """

    image_size = None
    blocks = ()  # of each: (width of its output in units of ch, whether it halves height and width)

    def __init__(self, ch, n_classes, activation, extra_channels=None):
        super().__init__()
        self.ch, self.n_classes, self.activation = ch, n_classes, activation
        extra_channels = extra_channels or {}
        with self.init_scope():
            before = 3
            for name, (units, halves) in zip(self.block_names, self.blocks, strict=True):
                before += extra_channels.get(name, 0)
                if name == 'block1':
                    block = OptimizedBlock(before, ch * units, activation=activation)
                else:
                    block = Block(before, ch * units, activation=activation, downsample=halves)
                setattr(self, name, block)
                before = ch * units
        self.out_channels = before

    @property
    def block_names(self):
        return [f'block{i}' for i in range(1, 1 + len(self.blocks))]

    @property
    def size_divisor(self):
        """Of what the height and width of images must be multiples, as blocks halve them."""
        return 2 ** sum(halves for _, halves in self.blocks)

    def _pool(self, h):
        """(B, C, H, W) → (B, C): the sum over all pixels, not their mean."""
        return F.sum(activate(self.activation, h), axis=(2, 3))

    def _check_labels(self, y):
        if y is not None and self.n_classes == 0:
            raise ValueError('labels were given to an unconditional discriminator (n_classes is 0)')


class SNResNetProjectionDiscriminatorBase(SNResNetDiscriminatorBase):
    """f(x, y) = l(φ(x)) + ⟨embed(y), φ(x)⟩ (Miyato & Koyama, 2018, eq. 3); without labels the first term alone."""

    dense_name = None
    dense_has_bias = True

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=F.relu):
        super().__init__(ch, n_classes, activation)
        with self.init_scope():
            setattr(self, self.dense_name, SNLinear(self.out_channels, 1, nobias=not self.dense_has_bias,
                                                    initialW=GlorotUniform()))
            if n_classes > 0:
                self.l_y = SNEmbedID(n_classes, self.out_channels, initialW=GlorotUniform())

    def features(self, x):
        """φ(x), Variable (B, out_channels), of images x (B, 3, image_size, image_size) in [-1, 1]."""
        h = x
        for name in self.block_names:
            h = self[name](h)
        return self._pool(h)

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, 3, H, W) in [-1, 1] and labels y, int32 (B,) or None."""
        self._check_labels(y)
        h = self.features(x)
        output = self[self.dense_name](h)
        if y is not None:
            output += F.sum(self.l_y(y) * h, axis=1, keepdims=True)
        return output
