from dis_models.base import SNResNetProjectionDiscriminatorBase


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """128×128 px, with fewer maps than Table 6."""

    image_size = 128
    blocks = ((1, True), (2, True), (4, True), (4, True), (8, True), (8, False))
    dense_name = 'l7'
