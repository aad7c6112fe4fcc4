from gen_models.base import ResNetGeneratorBase


class ResNetGenerator(ResNetGeneratorBase):
    """128×128 px, with fewer maps than Table 6."""

    bottom_channels = 8
    block_channels = (8, 4, 4, 2, 1)
    tail_names = ('b7', 'l7')
