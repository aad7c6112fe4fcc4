from dis_models.sncnn_base import SNCNNDiscriminatorBase


class SNCNNDiscriminator(SNCNNDiscriminatorBase):
    """32×32 px (Table 3)."""

    image_size = 32
