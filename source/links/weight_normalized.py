"""Links whose weights are normalized row by row (eq. 25), a row being what makes one output."""
from source.functions.weight_normalization import weight_normalization
from source.links.convolution_2d import Convolution2D
from source.links.divided_by_norm import DividedByNorm
from source.links.embed_id import EmbedID
from source.links.linear import Linear


class WeightNormalized(DividedByNorm):
    """`W_bar` has rows of norm 1, so that its squared singular values sum to d_out (eq. 27).

    With `use_gamma` each row has a multiplier of its own: `gamma` (d_out, 1, …), the form of Salimans & Kingma (2016).
    """

    _normalize = staticmethod(weight_normalization)

    @staticmethod
    def _norm_axes(ndim):
        return tuple(range(1, ndim))


class WNConvolution2D(WeightNormalized, Convolution2D):
    """2-D convolution; `W` (out, in, kh, kw), of whose flattened rows (in·kh·kw) the norms are taken."""

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None, use_gamma=False):
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, initialW, initial_bias)
        self._init_norm(use_gamma)


class WNLinear(WeightNormalized, Linear):
    """Dense layer; `W` (out, in)."""

    def __init__(self, in_size, out_size, nobias=False, initialW=None, initial_bias=None, use_gamma=False):
        super().__init__(in_size, out_size, nobias, initialW, initial_bias)
        self._init_norm(use_gamma)


class WNEmbedID(WeightNormalized, EmbedID):
    """Embedding; `W` (in_size, out_size), one row for each category."""

    def __init__(self, in_size, out_size, initialW=None, ignore_label=None, use_gamma=False):
        super().__init__(in_size, out_size, initialW, ignore_label)
        self._init_norm(use_gamma)
