from gen_models.cnn_base import CNNGeneratorBase

import chainer.functions as F


class CNNGenerator(CNNGeneratorBase):
    """48×48 px, for STL-10 (Table 3)."""

    def __init__(self, ch: int = 64, dim_z: int = 128, bottom_width: int = 6, activation=F.relu, n_classes: int = 0,
                 distribution: str = 'normal', channels: int = 3):
        super().__init__(ch, dim_z, bottom_width, activation, n_classes, distribution, channels)
