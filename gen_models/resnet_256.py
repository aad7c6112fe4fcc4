from gen_models.base import ResNetGeneratorBase


class ResNetGenerator(ResNetGeneratorBase):
    """256×256 px (the released configs take ch=32)."""

    bottom_channels = 16
    block_channels = (16, 8, 8, 4, 2, 1)
    tail_names = ('b8', 'l8')
