from dis_models.base import (
    SNResNetACDiscriminatorBase,
    SNResNetConcatDiscriminatorBase,
    SNResNetProjectionDiscriminatorBase,
)

import chainer.functions as F


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """32×32 px (Table 4; ch=128 in the paper)."""

    image_size = 32
    blocks = ((1, True), (1, True), (1, False), (1, False))
    dense_name = 'l5'
    dense_has_bias = False

    def __init__(self, ch: int = 128, n_classes: int = 0, activation=F.relu, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale, channels)


class SNResNetConcatDiscriminator(SNResNetConcatDiscriminatorBase):
    """32×32 px, labels concatenated where the maps have 8×8 pixels (the papers have this at 128 px alone)."""

    image_size = 32
    blocks = SNResNetProjectionDiscriminator.blocks
    dense_name = 'l5'
    dense_has_bias = False
    concat_before = 'block3'

    def __init__(self, ch: int = 128, n_classes: int = 0, activation=F.relu, dim_emb: int = 128,
                 norm: str = 'spectral', use_gamma: bool = False, scale: float = 1., final_scale: float = 1.,
                 channels: int = 3):
        super().__init__(ch, n_classes, activation, dim_emb, norm, use_gamma, scale, final_scale, channels)


class SNResNetACDiscriminator(SNResNetACDiscriminatorBase):
    """32×32 px, with an auxiliary classifier."""

    image_size = 32
    blocks = SNResNetProjectionDiscriminator.blocks
    dense_name = 'l5'

    def __init__(self, ch: int = 128, n_classes: int = 0, activation=F.relu, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale, channels)
