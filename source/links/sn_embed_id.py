from source.links.embed_id import EmbedID
from source.links.spectrally_normalized import SpectrallyNormalized


class SNEmbedID(SpectrallyNormalized, EmbedID):
    """Embedding with a spectrally normalized weight: `W` (in_size, out_size), persistent `u` (1, in_size)."""

    def __init__(self, in_size, out_size, initialW=None, ignore_label=None, Ip=1, factor=None, *,
                 fully_differentiable=False):
        super().__init__(in_size, out_size, initialW, ignore_label)
        self._init_spectral_normalization(in_size, Ip, factor, fully_differentiable=fully_differentiable)
