from dis_models.base import SNResNetProjectionDiscriminatorBase


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """48×48 px, for STL-10 (Table 5)."""

    image_size = 48
    blocks = ((1, True), (2, True), (4, True), (8, True), (16, False))
    dense_name = 'l6'
