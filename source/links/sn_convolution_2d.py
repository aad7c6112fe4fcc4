from source.links.convolution_2d import Convolution2D
from source.links.spectrally_normalized import SpectrallyNormalized


class SNConvolution2D(SpectrallyNormalized, Convolution2D):
    """2-D convolution with a spectrally normalized weight.

    `W` (out_channels, in_channels, kh, kw), seen as (out_channels, in_channels·kh·kw) when its spectral norm is taken
    (section 4); `b` (out_channels,), persistent `u` (1, out_channels), optional `gamma` (1, 1, 1, 1). `in_channels` may
    be None: it is then read off the first batch.
    """

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None, use_gamma=False, Ip=1, factor=None, *, fully_differentiable=False):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, initialW, initial_bias)
        self._init_spectral_normalization(out_channels, Ip, factor, use_gamma, (1, 1, 1, 1), fully_differentiable)
