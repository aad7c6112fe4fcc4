"""2-D convolutions as the residual blocks use them, alone and joined with resampling."""
import chainer.functions as F

from source.functions.resample import downsample, upsample


def convolution_2d(x, W, b=None, stride=1, pad=0):
    """`chainer.functions.convolution_2d`, on faster kernels where there are some for the arrays given."""
    return F.convolution_2d(x, W, b, stride, pad)


def upsample_convolution_2d(x, W, b=None, pad=0):
    """Nearest-neighbour upsampling by two, then a convolution of stride 1."""
    if W.shape[2:] == (1, 1) and pad in (0, (0, 0)):
        return upsample(convolution_2d(x, W, b))  # the same sums, over a quarter of the pixels
    return convolution_2d(upsample(x), W, b, 1, pad)


def convolution_2d_downsample(x, W, b=None, pad=0):
    """A convolution of stride 1, then average pooling by two."""
    if W.shape[2:] == (1, 1) and pad in (0, (0, 0)):
        return convolution_2d(downsample(x), W, b)  # both are linear, and the pooling leaves a quarter of the pixels
    return downsample(convolution_2d(x, W, b, 1, pad))
