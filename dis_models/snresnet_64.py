from dis_models.base import SNResNetProjectionDiscriminatorBase


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """64×64 px."""

    image_size = 64
    blocks = ((1, True), (2, True), (4, True), (8, True), (16, True))
    dense_name = 'l6'
