"""Functions of Variables, without parameters: spectral normalization, losses, penalties, convolutions."""
from source.functions.activation import LeakyReLU
from source.functions.batch_normalization import batch_normalize
from source.functions.convolution_2d import (
    convolution_2d,
    convolution_2d_downsample,
    deconvolution_2d,
    upsample_convolution_2d,
)
from source.functions.differentiable_augmentation import augment
from source.functions.embedding import concat_maps, project
from source.functions.layer_normalization import layer_normalize
from source.functions.losses import (
    loss_dcgan_dis,
    loss_dcgan_gen,
    loss_hinge_dis,
    loss_hinge_gen,
    loss_wasserstein_dis,
    loss_wasserstein_gen,
)
from source.functions.max_sv import max_singular_value, max_singular_value_fully_differentiable
from source.functions.penalties import gradient_penalty, interpolate, orthonormal_penalty, spectral_norm_penalty
from source.functions.resample import downsample, upsample
from source.functions.spectral_normalization import spectral_normalization
from source.functions.weight_normalization import frobenius_normalization, weight_normalization

__all__ = [
    'LeakyReLU', 'augment', 'batch_normalize', 'concat_maps', 'convolution_2d', 'convolution_2d_downsample',
    'deconvolution_2d', 'downsample', 'frobenius_normalization', 'gradient_penalty', 'interpolate', 'layer_normalize',
    'loss_dcgan_dis', 'loss_dcgan_gen', 'loss_hinge_dis', 'loss_hinge_gen', 'loss_wasserstein_dis',
    'loss_wasserstein_gen', 'max_singular_value', 'max_singular_value_fully_differentiable', 'orthonormal_penalty',
    'project', 'spectral_norm_penalty', 'spectral_normalization', 'upsample', 'upsample_convolution_2d',
    'weight_normalization',
]
