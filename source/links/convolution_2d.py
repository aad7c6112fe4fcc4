import chainer.links as L

from source.functions import convolution_2d as functions


class Convolution2D(L.Convolution2D):
    """Chainer's convolution link, which also convolves together with resampling by two.

    The weight is read as `W_bar`, so that a subclass can normalize it.
    """

    @property
    def W_bar(self):
        return self.W

    def forward(self, x):
        self._initialize_from(x)
        return functions.convolution_2d(x, self.W_bar, self.b, self.stride, self.pad)

    def after_upsampling(self, x):
        """The convolution of x (B, C, H, W) enlarged to twice its height and width."""
        self._initialize_from(x)
        return functions.upsample_convolution_2d(x, self.W_bar, self.b, self.pad)

    def before_downsampling(self, x):
        """The convolution of x (B, C, H, W), averaged to half its height and width."""
        self._initialize_from(x)
        return functions.convolution_2d_downsample(x, self.W_bar, self.b, self.pad)

    def _initialize_from(self, x):
        if self.W.array is None:
            self._initialize_params(x.shape[1])
