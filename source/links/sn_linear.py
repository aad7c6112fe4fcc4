from source.links.spectrally_normalized import SpectrallyNormalized

import chainer.functions as F
import chainer.links as L


class SNLinear(SpectrallyNormalized, L.Linear):
    """Dense layer with a spectrally normalized weight.

    `W` (out_size, in_size), `b` (out_size,), persistent `u` (1, out_size), optional `gamma` (1, 1). `in_size` may be
    None: it is then read off the first batch.
    """

    def __init__(self, in_size, out_size, use_gamma=False, nobias=False, initialW=None, initial_bias=None, Ip=1,
                 factor=None, *, fully_differentiable=False):
        super().__init__(in_size, out_size, nobias, initialW, initial_bias)
        self._init_spectral_normalization(out_size, Ip, factor, use_gamma, (1, 1), fully_differentiable)

    def forward(self, x):
        if self.W.array is None:
            self._initialize_params(x.size // x.shape[0])
        return F.linear(x, self.W_bar, self.b)
