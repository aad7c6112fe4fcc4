from source.functions import convolution_2d as functions
from source.links.constant_weights import as_configured

import chainer.links as L


class Convolution2D(L.Convolution2D):
    """Chainer's convolution link, with the activation before it and with resampling by two.

    The weight is read as `W_bar`, so that a subclass can normalize it.
    """

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x, activation=None):
        """The convolution of activation(x), x (B, C, H, W)."""
        return functions.convolution_2d(x, *self._weights(x), self.stride, self.pad, activation)

    def after_upsampling(self, x, activation=None):
        """The convolution of activation(x), enlarged to twice its height and width."""
        return functions.upsample_convolution_2d(x, *self._weights(x), self.pad, activation)

    def before_downsampling(self, x, activation=None):
        """The convolution of activation(x), averaged to half its height and width."""
        return functions.convolution_2d_downsample(x, *self._weights(x), self.pad, activation)

    def _weights(self, x):
        if self.W.array is None:
            self._initialize_params(x.shape[1])
        return self.W_bar, as_configured(self.b)
