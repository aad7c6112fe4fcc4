"""The discriminator's normalizations by name: for each, the links a network is built of.

| name | weights | between convolutions and activations |
| --- | --- | --- |
| spectral | W / σ(W), eq. 8 | |
| weight | rows of norm 1, eq. 25 | |
| frobenius | W / ‖W‖_F, eq. 26 | |
| layer, batch | as they are | layer or batch normalization with a shift and no multiplier |
| orthonormal | as they are, at first orthonormal (gain 1); its regularization, eq. 14, is the penalty of that name | |
| singular_values | U S Vᵀ, the largest singular value held at 1, eq. 28 | |
| none | as they are | |

Layer and batch normalization stand where the field has them: in a CNN after every convolution but the first (Radford et
al., 2016), in a ResNet before the activations within every block but the first (Gulrajani et al., 2017), and nowhere
next to the dense layer.
"""
from source.links import frobenius_normalized, singular_value_constrained, weight_normalized
from source.links.batch_normalization_without_multiplier import BatchNormalizationWithoutMultiplier
from source.links.convolution_2d import Convolution2D
from source.links.embed_id import EmbedID
from source.links.layer_normalization import LayerNormalization
from source.links.linear import Linear
from source.links.sn_convolution_2d import SNConvolution2D
from source.links.sn_embed_id import SNEmbedID
from source.links.sn_linear import SNLinear

from chainer.initializers import Orthogonal

_PLAIN = Convolution2D, Linear, EmbedID
_LINKS = {
    'spectral': (SNConvolution2D, SNLinear, SNEmbedID),
    'weight': (weight_normalized.WNConvolution2D, weight_normalized.WNLinear, weight_normalized.WNEmbedID),
    'frobenius': (frobenius_normalized.FNConvolution2D, frobenius_normalized.FNLinear, frobenius_normalized.FNEmbedID),
    'layer': _PLAIN,
    'batch': _PLAIN,
    'orthonormal': _PLAIN,
    'singular_values': (singular_value_constrained.USVConvolution2D, singular_value_constrained.USVLinear,
                        singular_value_constrained.USVEmbedID),
    'none': _PLAIN,
}
NORMS = tuple(_LINKS)
WITH_GAMMA = 'spectral', 'weight', 'frobenius'


class Norm:
    """Makes the links of a discriminator normalized in the way `name` says (see the module).

    With `use_gamma` the weights of convolutions and dense layers have trained multipliers (Appendix E). Raises
    ValueError for an unknown name, or for `use_gamma` where there is no such multiplier.
    """

    def __init__(self, name='spectral', use_gamma=False):
        if name not in _LINKS:
            raise ValueError(f'norm must be one of {", ".join(NORMS)}, got {name!r}')
        if use_gamma and name not in WITH_GAMMA:
            raise ValueError(f'use_gamma goes with norm {", ".join(WITH_GAMMA)}, got {name!r}')
        self.name = name
        self._gamma = {'use_gamma': True} if use_gamma else {}
        self._convolution_2d, self._linear, self._embed_id = _LINKS[name]

    def convolution_2d(self, in_channels, out_channels, ksize, stride=1, pad=0, initialW=None):
        return self._convolution_2d(in_channels, out_channels, ksize, stride, pad, initialW=self._initial(initialW),
                                    **self._gamma)

    def linear(self, in_size, out_size, nobias=False, initialW=None):
        return self._linear(in_size, out_size, nobias=nobias, initialW=self._initial(initialW), **self._gamma)

    def embed_id(self, in_size, out_size, initialW=None):
        return self._embed_id(in_size, out_size, initialW=self._initial(initialW))

    def between(self, size):
        """The link between a convolution of `size` maps and the activation after it, or None."""
        return {'layer': LayerNormalization, 'batch': BatchNormalizationWithoutMultiplier}.get(
            self.name, lambda size: None)(size)

    def _initial(self, initialW):
        # Chainer's own default of 1.1 would start every singular value above 1.
        return Orthogonal(scale=1.) if self.name == 'orthonormal' else initialW
