from dis_models.base import SNResNetProjectionDiscriminatorBase

import chainer.functions as F


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """32×32 px (Table 4; ch=128 in the paper)."""

    image_size = 32
    blocks = ((1, True), (1, True), (1, False), (1, False))
    dense_name = 'l5'
    dense_has_bias = False

    def __init__(self, ch: int = 128, n_classes: int = 0, activation=F.relu):
        super().__init__(ch, n_classes, activation)
