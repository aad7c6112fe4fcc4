from dis_models.base import SNResNetProjectionDiscriminatorBase


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """256×256 px (the released configs take ch=32)."""

    image_size = 256
    blocks = ((1, True), (2, True), (4, True), (8, True), (8, True), (16, True), (16, False))
    dense_name = 'l8'
