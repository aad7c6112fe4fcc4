from source.links.linear import Linear
from source.links.spectrally_normalized import SpectrallyNormalized


class SNLinear(SpectrallyNormalized, Linear):
    """Dense layer with a spectrally normalized weight.

    `W` (out_size, in_size), `b` (out_size,), persistent `u` (1, out_size), optional `gamma` (1, 1). `in_size` may be
    None: it is then read off the first batch.
    """

    def __init__(self, in_size, out_size, use_gamma=False, nobias=False, initialW=None, initial_bias=None, Ip=1,
                 factor=None, *, fully_differentiable=False):
        super().__init__(in_size, out_size, nobias, initialW, initial_bias)
        self._init_spectral_normalization(out_size, Ip, factor, use_gamma, (1, 1), fully_differentiable)
