"""What the standard CNN's discriminators (Table 3) share; a network's own file holds its size."""
from dis_models.base import scaled_widths
from source.functions.activation import LeakyReLU, activate
from source.functions.precision import as_activations
from source.links.norms import Norm

import chainer

LEAKY_RELU = LeakyReLU(.1)


class SNCNNDiscriminatorBase(chainer.Chain):
    """Convolutions, 3×3 of stride 1 and 4×4 of stride 2 in turn, activation after each, dense to 1 (Table 3).

    Layer or batch normalization, where `norm` is that, follows every convolution but the first. Weights start as
    Chainer's do (LeCunNormal), as the paper names no initialization.

    Args:
        ch: unit of width.
        n_classes: 0, as the paper's CNN is unconditional.
        activation: after each convolution.
        norm: how it is normalized, one of `source.links.norms.NORMS`.
        use_gamma: whether normalized weights have trained multipliers (Appendix E).
        scale: multiplies all widths.
        final_scale: multiplies the last convolution's widths, before and after it.
        channels: C of the images, 3 for RGB and 1 for grey.
    """

    image_size = None
    convolutions = (  # of each: (width of its output in units of ch, size, stride)
        (1, 3, 1), (1, 4, 2), (2, 3, 1), (2, 4, 2), (4, 3, 1), (4, 4, 2), (8, 3, 1))
    initialW = None

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=LEAKY_RELU, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__()
        if n_classes != 0:
            raise ValueError(f'the CNN of Table 3 is unconditional: n_classes must be 0, got {n_classes}')
        self.ch, self.n_classes, self.activation, self.channels = ch, n_classes, activation, channels
        self.norm = Norm(norm, use_gamma)
        widths = scaled_widths(ch, [units for units, _, _ in self.convolutions], scale, final_scale)
        before, size = channels, self.image_size
        with self.init_scope():
            for i, (width, (_, ksize, stride)) in enumerate(zip(widths, self.convolutions, strict=True), 1):
                setattr(self, f'c{i}', self.norm.convolution_2d(before, width, ksize, stride, 1, self.initialW))
                setattr(self, f'n{i}', self.norm.between(width) if i > 1 else None)
                before, size = width, size // stride
            self.l8 = self.norm.linear(before * size ** 2, 1, initialW=self.initialW)

    @property
    def size_divisor(self):
        """Of what the height and width of images must be multiples: the dense layer takes one size alone."""
        return self.image_size

    def forward(self, x, y=None):
        """Raw outputs, Variable (B, 1), for images x (B, C, image_size, image_size) in [-1, 1]; y must be None."""
        return self.l8(self.features(x, y))

    def features(self, x, y=None):
        """φ(x), what enters the dense layer, Variable (B, 8·ch, image_size / 8, image_size / 8)."""
        if y is not None:
            raise ValueError('labels were given to an unconditional discriminator (n_classes is 0)')
        if x.shape[1:] != (self.channels, self.image_size, self.image_size):
            raise ValueError(f'x must have shape (B, {self.channels}, {self.image_size}, {self.image_size}), '
                             f'got {x.shape}')
        h = self.c1(as_activations(x))
        for i in range(2, 1 + len(self.convolutions)):
            h = self[f'c{i}'](h, self.activation)
            normalize = self[f'n{i}']
            h = h if normalize is None else normalize(h)
        return activate(self.activation, h)
