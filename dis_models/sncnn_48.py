from dis_models.sncnn_base import SNCNNDiscriminatorBase


class SNCNNDiscriminator(SNCNNDiscriminatorBase):
    """48×48 px, for STL-10 (Table 3)."""

    image_size = 48
