from source.links.spectrally_normalized import SpectrallyNormalized

import chainer.functions as F
import chainer.links as L


class SNConvolutionND(SpectrallyNormalized, L.ConvolutionND):
    """N-dimensional convolution with a spectrally normalized weight.

    `W` (out_channels, in_channels, k_1, …, k_N), seen as a matrix of out_channels rows when its spectral norm is taken;
    `b` (out_channels,), persistent `u` (1, out_channels), optional `gamma` (1,)·(N + 2). `in_channels` may be None: it
    is then read off the first batch.
    """

    def __init__(self, ndim, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None, cover_all=False, use_gamma=False, Ip=1, factor=None, *,
                 fully_differentiable=False):
        super().__init__(ndim, in_channels, out_channels, ksize, stride, pad, nobias, initialW, initial_bias,
                         cover_all)
        self._init_spectral_normalization(out_channels, Ip, factor, use_gamma, (1,) * (ndim + 2), fully_differentiable)

    def forward(self, x):
        if self.W.array is None:
            self._initialize_params(x.shape[1])
        return F.convolution_nd(x, self.W_bar, self.b, self.stride, self.pad, cover_all=self.cover_all)
