from gen_models.cnn_base import CNNGeneratorBase
from source.links.batch_normalization import BatchNormalization
from source.links.deconvolution_2d import Deconvolution2D

import chainer.functions as F
from chainer.initializers import Normal


class CNNGenerator(CNNGeneratorBase):
    """32×32 px, as in the authors' chainer-gan-lib.

    Batch norm and activation follow the dense layer too (`b1`, of each of its outputs), the last layer is a 3×3
    deconvolution (`dc5`), latents are uniform, weights start from N(0, 0.02²).
    """

    initialW = Normal(.02)

    def __init__(self, ch: int = 64, dim_z: int = 128, bottom_width: int = 4, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'uniform', channels: int = 3):
        super().__init__(ch, dim_z, bottom_width, activation, n_classes, distribution, channels)

    def _init_tail(self, width):
        self.b1 = BatchNormalization(self.l1.out_size)
        self.dc5 = Deconvolution2D(width, self.channels, 3, stride=1, pad=1, initialW=self.initialW)

    def _bottom(self, z, finetune):
        return self.b1(self.l1(z), finetune=finetune, activation=self.activation)

    def _tail(self, h):
        return self.dc5(h)
