from gen_models.base import ResNetGeneratorBase

import chainer.functions as F


class ResNetGenerator(ResNetGeneratorBase):
    """32×32 px (Table 4; ch=256 in the paper)."""

    bottom_channels = 1
    block_channels = (1, 1, 1)
    tail_names = ('b5', 'c5')

    def __init__(self, ch: int = 256, dim_z: int = 128, bottom_width: int = 4, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'normal', channels: int = 3):
        super().__init__(ch, dim_z, bottom_width, activation, n_classes, distribution, channels)
