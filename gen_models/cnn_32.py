from gen_models.cnn_base import CNNGeneratorBase


class CNNGenerator(CNNGeneratorBase):
    """32×32 px (Table 3)."""
