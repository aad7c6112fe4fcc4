"""Links whose weights are divided by their Frobenius norm (eq. 26)."""
from source.functions.weight_normalization import frobenius_normalization
from source.links.convolution_2d import Convolution2D
from source.links.divided_by_norm import DividedByNorm
from source.links.embed_id import EmbedID
from source.links.linear import Linear


class FrobeniusNormalized(DividedByNorm):
    """`W_bar` has Frobenius norm 1: its squared singular values sum to 1. `gamma` (1, 1, …) is one number."""

    _normalize = staticmethod(frobenius_normalization)

    @staticmethod
    def _norm_axes(ndim):
        return tuple(range(ndim))


class FNConvolution2D(FrobeniusNormalized, Convolution2D):
    """2-D convolution; `W` (out, in, kh, kw)."""

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None, use_gamma=False):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, initialW, initial_bias)
        self._init_norm(use_gamma)


class FNLinear(FrobeniusNormalized, Linear):
    """Dense layer; `W` (out, in)."""

    def __init__(self, in_size, out_size, nobias=False, initialW=None, initial_bias=None, use_gamma=False):
        super().__init__(in_size, out_size, nobias, initialW, initial_bias)
        self._init_norm(use_gamma)


class FNEmbedID(FrobeniusNormalized, EmbedID):
    """Embedding; `W` (in_size, out_size)."""

    def __init__(self, in_size, out_size, initialW=None, ignore_label=None, use_gamma=False):
        super().__init__(in_size, out_size, initialW, ignore_label)
        self._init_norm(use_gamma)
