"""Links, which own parameters: the spectrally normalized family, its siblings, and batch normalizations."""
from source.links.batch_normalization import BatchNormalization
from source.links.batch_normalization_without_multiplier import BatchNormalizationWithoutMultiplier
from source.links.categorical_conditional_batch_normalization import CategoricalConditionalBatchNormalization
from source.links.conditional_batch_normalization import ConditionalBatchNormalization
from source.links.convolution_2d import Convolution2D
from source.links.deconvolution_2d import Deconvolution2D
from source.links.embed_id import EmbedID
from source.links.frobenius_normalized import FNConvolution2D, FNEmbedID, FNLinear
from source.links.layer_normalization import LayerNormalization
from source.links.linear import Linear
from source.links.norms import Norm
from source.links.singular_value_constrained import USVConvolution2D, USVEmbedID, USVLinear
from source.links.sn_convolution_2d import SNConvolution2D
from source.links.sn_convolution_nd import SNConvolutionND
from source.links.sn_deconvolution_2d import SNDeconvolution2D
from source.links.sn_embed_id import SNEmbedID
from source.links.sn_linear import SNLinear
from source.links.weight_normalized import WNConvolution2D, WNEmbedID, WNLinear
from source.links.weights import spectral_norm

__all__ = [
    'BatchNormalization', 'BatchNormalizationWithoutMultiplier', 'CategoricalConditionalBatchNormalization',
    'ConditionalBatchNormalization', 'Convolution2D', 'Deconvolution2D', 'EmbedID', 'FNConvolution2D', 'FNEmbedID',
    'FNLinear', 'LayerNormalization', 'Linear', 'Norm', 'SNConvolution2D', 'SNConvolutionND', 'SNDeconvolution2D',
    'SNEmbedID', 'SNLinear', 'USVConvolution2D', 'USVEmbedID', 'USVLinear', 'WNConvolution2D', 'WNEmbedID', 'WNLinear',
    'spectral_norm',
]
