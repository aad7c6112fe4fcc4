from source.functions.convolution_2d import convolution_2d, convolution_2d_downsample, upsample_convolution_2d
from source.links.constant_weights import as_configured

import chainer.links as L


class Convolution2D(L.Convolution2D):
    """Chainer's convolution link, with the activation before it and with resampling by two.

    The weight is read as `W_bar`, so that a subclass can normalize it. There are no groups and no dilation.
    """

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, initialW, initial_bias)

    @property
    def W_bar(self):
        return as_configured(self.W)

    def forward(self, x, activation=None, next_activation=None):
        """The convolution of activation(x), x (B, C, H, W), to be read through next_activation alone, if any."""
        return convolution_2d(x, *self._weights(x), self.stride, self.pad, activation, next_activation)

    def after_upsampling(self, x, activation=None, with_bias=True):
        """The convolution of activation(x), enlarged to twice its height and width; its stride must be 1."""
        self._check_stride()
        W, b = self._weights(x)
        return upsample_convolution_2d(x, W, b if with_bias else None, self.pad, activation)

    def before_downsampling(self, x, activation=None):
        """The convolution of activation(x), averaged to half its height and width; its stride must be 1."""
        self._check_stride()
        return convolution_2d_downsample(x, *self._weights(x), self.pad, activation)

    def _check_stride(self):
        if self.stride not in (1, (1, 1)):
            raise ValueError(f'joined with resampling, a convolution must have stride 1, got {self.stride}')

    def _weights(self, x):
        if self.W.array is None:
            self._initialize_params(x.shape[1])
        return self.W_bar, as_configured(self.b)
