from source.links.deconvolution_2d import Deconvolution2D
from source.links.spectrally_normalized import SpectrallyNormalized


class SNDeconvolution2D(SpectrallyNormalized, Deconvolution2D):
    """2-D transposed convolution with a spectrally normalized weight.

    `W` (in_channels, out_channels, kh, kw), seen as (out_channels, in_channels·kh·kw) when its spectral norm is taken,
    as Chainer's own link hook does; `b` (out_channels,), persistent `u` (1, out_channels), optional `gamma`
    (1, 1, 1, 1). `in_channels` may be None: it is then read off the first batch.
    """

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, outsize=None, initialW=None,
                 initial_bias=None, use_gamma=False, Ip=1, factor=None, *, fully_differentiable=False):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, outsize, initialW, initial_bias)
        self._init_spectral_normalization(out_channels, Ip, factor, use_gamma, (1, 1, 1, 1), fully_differentiable)

    def _rows_first(self, W):
        return W.transpose(1, 0, 2, 3)

    _rows_back = _rows_first
