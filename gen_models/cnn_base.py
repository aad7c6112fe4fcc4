"""What the standard CNN's generators (Table 3) share; a network's own file holds its size."""
from source.functions.activation import tanh
from source.functions.precision import as_activations, as_float32
from source.links.batch_normalization import BatchNormalization
from source.links.convolution_2d import Convolution2D
from source.links.deconvolution_2d import Deconvolution2D
from source.links.linear import Linear
from source.miscs.random_samples import sample_continuous

import chainer
import chainer.functions as F


class CNNGeneratorBase(chainer.Chain):
    """Dense layer, 4×4 deconvolutions of stride 2 with batch norm and activation, 3×3 to channels, tanh (Table 3).

    Weights start as Chainer's do (LeCunNormal), as the paper names no initialization.

    Args:
        ch: unit of width.
        dim_z: length of the latents.
        bottom_width: height and width of the first feature map.
        activation: after each batch normalization.
        n_classes: 0, as the paper's CNN is unconditional.
        distribution: of latents drawn here, 'normal' or 'uniform'.
        channels: C of the images, 3 for RGB and 1 for grey.
    """

    bottom_channels = 8  # width of the first feature map, in units of ch
    deconvolution_channels = (4, 2, 1)  # width of each deconvolution's output, in units of ch
    initialW = None

    def __init__(self, ch: int = 64, dim_z: int = 128, bottom_width: int = 4, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'normal', channels: int = 3):
        super().__init__()
        if n_classes != 0:
            raise ValueError(f'the CNN of Table 3 is unconditional: n_classes must be 0, got {n_classes}')
        self.dim_z, self.bottom_width, self.activation = dim_z, bottom_width, activation
        self.n_classes, self.distribution, self.channels = n_classes, distribution, channels
        self.image_size = bottom_width * 2 ** len(self.deconvolution_channels)
        widths = [ch * units for units in (self.bottom_channels, *self.deconvolution_channels)]
        with self.init_scope():
            self.l1 = Linear(dim_z, bottom_width ** 2 * widths[0], initialW=self.initialW)
            for i, (before, after) in enumerate(zip(widths, widths[1:], strict=False), 2):
                setattr(self, f'dc{i}', Deconvolution2D(before, after, 4, stride=2, pad=1, initialW=self.initialW))
                setattr(self, f'b{i}', BatchNormalization(after))
            self._init_tail(widths[-1])

    def _init_tail(self, width):
        """Adds what follows the last batch normalization; called within `init_scope`."""
        self.c5 = Convolution2D(width, self.channels, 3, pad=1)

    def _bottom(self, z, finetune):
        return self.l1(z)

    def _tail(self, h):
        return self.c5(h)

    def forward(self, batchsize=64, z=None, y=None, finetune=False):
        """Generates images.

        Args:
            batchsize: how many latents to draw where z is None.
            z: latents, float32 (B, dim_z).
            y: None.
            finetune: for the batch normalization.

        Returns:
            Variable (B, C, image_size, image_size) in [-1, 1].
        """
        if y is not None:
            raise ValueError('labels were given to an unconditional generator (n_classes is 0)')
        if z is None:
            z = sample_continuous(self.dim_z, batchsize, self.distribution, self.xp)
        h = F.reshape(self._bottom(z, finetune), (len(z), -1, self.bottom_width, self.bottom_width))
        h = as_activations(h)
        for i in range(2, 2 + len(self.deconvolution_channels)):
            h = self[f'b{i}'](self[f'dc{i}'](h), finetune=finetune, activation=self.activation)
        return tanh(as_float32(self._tail(h)))
