from dis_models.base import SNResNetConcatDiscriminatorBase, SNResNetProjectionDiscriminatorBase


class SNResNetProjectionDiscriminator(SNResNetProjectionDiscriminatorBase):
    """128×128 px (Table 6)."""

    image_size = 128
    blocks = ((1, True), (2, True), (4, True), (8, True), (16, True), (16, False))
    dense_name = 'l7'


class SNResNetConcatDiscriminator(SNResNetConcatDiscriminatorBase):
    """128×128 px, labels concatenated to the third block's output (Table 6)."""

    image_size = 128
    blocks = SNResNetProjectionDiscriminator.blocks
    dense_name = 'l7'
    concat_before = 'block4'
