from dis_models.sncnn_base import SNCNNDiscriminatorBase
from source.functions.activation import LeakyReLU

from chainer.initializers import Normal

LEAKY_RELU = LeakyReLU(.2)


class SNCNNDiscriminator(SNCNNDiscriminatorBase):
    """32×32 px, as in the authors' chainer-gan-lib: wider at the strides, slope 0.2, weights from N(0, 0.02²)."""

    image_size = 32
    convolutions = ((1, 3, 1), (2, 4, 2), (2, 3, 1), (4, 4, 2), (4, 3, 1), (8, 4, 2), (8, 3, 1))
    initialW = Normal(.02)

    def __init__(self, ch: int = 64, n_classes: int = 0, activation=LEAKY_RELU, norm: str = 'spectral',
                 use_gamma: bool = False, scale: float = 1., final_scale: float = 1., channels: int = 3):
        super().__init__(ch, n_classes, activation, norm, use_gamma, scale, final_scale, channels)
