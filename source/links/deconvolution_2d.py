from source.functions.convolution_2d import deconvolution_2d
from source.links.constant_weights import as_configured

import chainer.links as L


class Deconvolution2D(L.Deconvolution2D):
    """Chainer's transposed convolution link, with the activation before it.

    The weight is read as `W_bar`, so that a subclass can normalize it. There are no groups and no dilation.
    """

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, outsize=None, initialW=None,
                 initial_bias=None):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, outsize, initialW, initial_bias)

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x, activation=None):
        """The transposed convolution of activation(x), x (B, C, H, W)."""
        if self.W.array is None:
            self._initialize_params(x.shape[1])
        return deconvolution_2d(x, self.W_bar, as_configured(self.b), self.stride, self.pad, self.outsize, activation)
