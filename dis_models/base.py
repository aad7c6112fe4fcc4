"""What all ResNet discriminators share; a network's own file holds its table of widths and names."""
from dis_models.resblocks import Block, OptimizedBlock
from source.functions.embedding import concat_maps
from source.functions.pooling import pool_pixels
from source.functions.precision import as_activations
from source.links.norms import Norm

import chainer
import chainer.functions as F
from chainer.initializers import GlorotUniform


def scaled_widths(ch, units, scale=1., final_scale=1.):
    """Numbers of maps: ch·units·scale each, the last two times `final_scale` besides, rounded.

    `scale` widens the whole network (1.5 in Tables 7 and 8), `final_scale` the input and the output of its final
    convolution or block alone (Figure 4 and footnote 6). Raises ValueError where nothing is left of a width.
    """
    factors = [scale] * (len(units) - 2) + [scale * final_scale] * 2
    widths = [round(ch * unit * factor) for unit, factor in zip(units, factors, strict=True)]
    if min(widths) < 1:
        raise ValueError(f'scale {scale} and final_scale {final_scale} leave no map of ch {ch}: widths are {widths}')
    return widths


class SNResNetDiscriminatorBase(chainer.Chain):
    """Residual blocks, activation, global pooling; a subclass adds the head.

    Args:
        ch: unit of width.
        n_classes: number of classes; 0 for an unconditional discriminator.
        activation: of the blocks and before pooling.
        norm: how it is normalized, one of `source.links.norms.NORMS`.
        use_gamma: whether normalized weights have trained multipliers (Appendix E).
        scale: multiplies all widths.
        final_scale: multiplies the last block's widths, before and after it.
        channels: C of the images, 3 for RGB and 1 for grey.
    """

    image_size = None
    blocks = ()  # of each: (width of its output in units of ch, whether it halves height and width)
    pooling = staticmethod(F.sum)  # over all pixels

    def __init__(self, ch, n_classes, activation, norm='spectral', use_gamma=False, scale=1., final_scale=1.,
                 extra_channels=None, channels=3):
        super().__init__()
        self.ch, self.n_classes, self.activation, self.channels = ch, n_classes, activation, channels
        self.norm = Norm(norm, use_gamma)
        extra_channels = extra_channels or {}
        widths = scaled_widths(ch, [units for units, _ in self.blocks], scale, final_scale)
        before = channels
        with self.init_scope():
            for name, width, (_, halves) in zip(self.block_names, widths, self.blocks, strict=True):
                before += extra_channels.get(name, 0)
                if name == 'block1':
                    block = OptimizedBlock(before, width, activation=activation, norm=self.norm)
                else:
                    block = Block(before, width, activation=activation, downsample=halves, norm=self.norm)
                setattr(self, name, block)
                before = width
        self.out_channels = before

    @property
    def block_names(self):
        return [f'block{i}' for i in range(1, 1 + len(self.blocks))]

    @property
    def size_divisor(self):
        """Of what the height and width of images must be multiples, as blocks halve them."""
        return 2 ** sum(halves for _, halves in self.blocks)

    def features(self, x, y=None):
        """φ(x), Variable (B, out_channels), of images x (B, C, image_size, image_size) in [-1, 1].

        Labels y, int32 (B,), are looked at only where they are concatenated.
        """
        h = as_activations(x)
        for name in self.block_names:
            h = self[name](h)
        return self._pool(h)

    def _pool(self, h):
        """(B, C, H, W) → (B, C)."""
        return pool_pixels(self.pooling, self.activation, h)

    def _check_labels(self, y):
        if y is not None and self.n_classes == 0:
            raise ValueError('labels were given to an unconditional discriminator (n_classes is 0)')


class SNResNetProjectionDiscriminatorBase(SNResNetDiscriminatorBase):
    """f(x, y) = l(φ(x)) + ⟨embed(y), φ(x)⟩ (Miyato & Koyama, 2018, eq. 3); without labels the first term alone."""

    dense_name = None
    dense_has_bias = True

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=F.relu, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale, channels=channels)
        with self.init_scope():
            setattr(self, self.dense_name, self.norm.linear(self.out_channels, 1, nobias=not self.dense_has_bias,
                                                            initialW=GlorotUniform()))
            if n_classes > 0:
                self.l_y = self.norm.embed_id(n_classes, self.out_channels, initialW=GlorotUniform())

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, C, H, W) in [-1, 1] and labels y, int32 (B,) or None."""
        self._check_labels(y)
        h = self.features(x)
        output = self[self.dense_name](h)
        if y is not None:
            output += self.l_y.project(h, y)
        return output


class SNResNetConcatDiscriminatorBase(SNResNetDiscriminatorBase):
    """Labels concatenated: the embedding of y, repeated over all pixels, joins the input of one block (Table 6)."""

    dense_name = None
    dense_has_bias = True
    concat_before = None  # that block's name

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=F.relu, dim_emb: int = 128, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale,
                         extra_channels={self.concat_before: dim_emb if n_classes > 0 else 0}, channels=channels)
        with self.init_scope():
            if n_classes > 0:
                self.l_y = self.norm.embed_id(n_classes, dim_emb, initialW=GlorotUniform())
            setattr(self, self.dense_name, self.norm.linear(self.out_channels, 1, nobias=not self.dense_has_bias,
                                                            initialW=GlorotUniform()))

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, C, H, W) in [-1, 1] and labels y, int32 (B,)."""
        return self[self.dense_name](self.features(x, y))

    def features(self, x, y=None):
        """φ(x, y), Variable (B, out_channels)."""
        self._check_labels(y)
        if y is None and self.n_classes > 0:
            raise ValueError('a discriminator that concatenates labels needs them')
        h = as_activations(x)
        for name in self.block_names:
            if name == self.concat_before and y is not None:
                h = concat_maps(h, self.l_y(y))
            h = self[name](h)
        return self._pool(h)


class SNResNetACDiscriminatorBase(SNResNetDiscriminatorBase):
    """An auxiliary classifier beside the adversarial output, both dense layers on φ(x) (Odena et al., 2017).

    `n_classes` must be above 0. The adversarial output does not depend on labels.
    """

    dense_name = None

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=F.relu, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        if n_classes < 1:
            raise ValueError(f'an auxiliary classifier needs classes: n_classes must be at least 1, got {n_classes}')
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale, channels=channels)
        with self.init_scope():
            setattr(self, self.dense_name, self.norm.linear(self.out_channels, 1, initialW=GlorotUniform()))
            self.l_ac = self.norm.linear(self.out_channels, n_classes, initialW=GlorotUniform())

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, C, H, W) in [-1, 1]; y is not looked at."""
        return self[self.dense_name](self.features(x))

    def classify(self, x):
        """Raw outputs, Variable (B, 1), and logits of the classes, Variable (B, n_classes)."""
        h = self.features(x)
        return self[self.dense_name](h), self.l_ac(h)
