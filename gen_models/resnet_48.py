from gen_models.base import ResNetGeneratorBase

import chainer.functions as F


class ResNetGenerator(ResNetGeneratorBase):
    """48×48 px, for STL-10 (Table 5)."""

    bottom_channels = 8
    block_channels = (4, 2, 1)
    tail_names = ('b5', 'c5')

    def __init__(self, ch: int = 64, dim_z: int = 128, bottom_width: int = 6, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'normal', channels: int = 3):
        super().__init__(ch, dim_z, bottom_width, activation, n_classes, distribution, channels)
