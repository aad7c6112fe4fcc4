from gen_models.base import ResNetGeneratorBase


class ResNetGenerator(ResNetGeneratorBase):
    """128×128 px (Table 6)."""

    bottom_channels = 16
    block_channels = (16, 8, 4, 2, 1)
    tail_names = ('b7', 'l7')
