from gen_models.base import ResNetGeneratorBase


class ResNetGenerator(ResNetGeneratorBase):
    """64×64 px."""

    bottom_channels = 16
    block_channels = (8, 4, 2, 1)
    tail_names = ('b6', 'l6')
