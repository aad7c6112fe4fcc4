"""What all ResNet generators share; a network's own file holds its table of widths and names."""
from gen_models.resblocks import Block
from source.functions.activation import tanh
from source.functions.precision import as_activations, as_float32
from source.links.batch_normalization import BatchNormalization
from source.links.convolution_2d import Convolution2D
from source.links.linear import Linear
from source.miscs.random_samples import sample_categorical, sample_continuous

import chainer
import chainer.functions as F
from chainer.initializers import GlorotUniform


class ResNetGeneratorBase(chainer.Chain):
    """Dense layer, upsampling residual blocks, batch norm, activation, 3×3 to the image's channels, tanh.

    Args:
        ch: unit of width.
        dim_z: length of the latents.
        bottom_width: height and width of the first feature map.
        activation: of the blocks and the tail.
        n_classes: number of classes; 0 for an unconditional generator.
        distribution: of latents drawn here, 'normal' or 'uniform'.
        channels: C of the images, 3 for RGB and 1 for grey.
    """

    bottom_channels = None  # width of the first feature map, in units of ch
    block_channels = ()  # width of each block's output, in units of ch
    tail_names = None  # names of the last batch normalization and convolution

    def __init__(self, ch: int = 64, dim_z: int = 128, bottom_width: int = 4, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'normal', channels: int = 3):
        super().__init__()
        self.dim_z, self.bottom_width, self.activation = dim_z, bottom_width, activation
        self.n_classes, self.distribution, self.channels = n_classes, distribution, channels
        self.image_size = bottom_width * 2 ** len(self.block_channels)
        widths = [ch * units for units in (self.bottom_channels, *self.block_channels)]
        batch_normalization, convolution = self.tail_names
        with self.init_scope():
            self.l1 = Linear(dim_z, bottom_width ** 2 * widths[0], initialW=GlorotUniform())
            for name, (before, after) in zip(self.block_names, zip(widths, widths[1:], strict=False), strict=True):
                setattr(self, name, Block(before, after, activation=activation, upsample=True, n_classes=n_classes))
            setattr(self, batch_normalization, BatchNormalization(widths[-1]))
            setattr(self, convolution, Convolution2D(widths[-1], channels, 3, pad=1, initialW=GlorotUniform()))

    @property
    def block_names(self):
        return [f'block{i}' for i in range(2, 2 + len(self.block_channels))]

    def forward(self, batchsize=64, z=None, y=None, weights=None, finetune=False):
        """Generates images.

        Args:
            batchsize: how many latents and labels to draw where z or y is None.
            z: latents, float32 (B, dim_z).
            y: labels, int32 (B,); or (B, 2) with `weights` float32 (B, 2), to blend two labels.
            weights: see y.
            finetune: whether the batch normalizations' moving averages become plain means over such batches.

        Returns:
            Variable (B, C, image_size, image_size) in [-1, 1].
        """
        if z is None:
            z = sample_continuous(self.dim_z, batchsize, self.distribution, self.xp)
        if y is None and self.n_classes > 0:
            y = sample_categorical(self.n_classes, len(z), xp=self.xp)
        if y is not None and self.n_classes == 0:
            raise ValueError('labels were given to an unconditional generator (n_classes is 0)')
        if y is not None and len(z) != len(y):
            raise ValueError(f'z and y must be equally many, got {len(z)} latents and {len(y)} labels')
        h = self.l1(z)
        h = as_activations(F.reshape(h, (len(z), -1, self.bottom_width, self.bottom_width)))
        kwargs = {} if weights is None else {'weights': weights}
        for name in self.block_names:
            h = self[name](h, y, finetune=finetune, **kwargs)
        batch_normalization, convolution = (self[name] for name in self.tail_names)
        # Differs from sngan_projection: there the last batch normalization is never fine-tuned.
        h = batch_normalization(h, finetune=finetune, activation=self.activation)
        return tanh(as_float32(convolution(h)))
