"""The mixin that gives a link spectrally normalized weights; the SN links are what it makes of Chainer's."""
from source.functions.max_sv import max_singular_value_fully_differentiable
from source.functions.spectral_normalization import spectral_normalization
from source.kernels.power_iteration import power_iteration
from source.kernels.switch import kernels
from source.links.constant_weights import as_configured
from source.links.joint_normalization import jointly_normalized

import chainer
import chainer.functions as F
import numpy as np
from chainer import variable


class SpectrallyNormalized:
    """Offers `W_bar`, the weight a link computes with, in place of `W` (Algorithm 1).

    Attributes:
        u: persistent array (1, d_out), the estimate of the first left singular vector. Reading `W_bar` runs `Ip` power
            iterations from it; the result is stored in training mode and dropped in test mode.
        gamma: with `use_gamma`, a trained multiplier that starts at the exact spectral norm of W (Appendix E).
    """

    def _init_spectral_normalization(self, d_out, Ip, factor, use_gamma=False, gamma_shape=None,
                                     fully_differentiable=False):
        if Ip < 1:
            raise ValueError(f'Ip, the number of power iterations, must be at least 1, got {Ip}')
        if factor is not None and not factor > 0:
            raise ValueError(f'factor, the spectral norm of W_bar, must be positive, got {factor}')
        self.Ip = Ip
        self.factor = factor
        self.use_gamma = use_gamma
        self.fully_differentiable = fully_differentiable
        self.add_persistent('u', np.random.normal(size=(1, d_out)).astype(np.float32))
        if use_gamma:
            self._gamma_shape = gamma_shape
            with self.init_scope():
                self.gamma = variable.Parameter(self._exact_spectral_norm)
            self._initialize_gamma()

    def _exact_spectral_norm(self, array):
        if self.W.array is None:  # a snapshot is being loaded into a lazy link, and will bring gamma's value
            return
        W = chainer.backends.cuda.to_cpu(self._as_matrix(self.W).array)
        array[...] = np.linalg.svd(W, compute_uv=False)[0]

    def _initialize_gamma(self):
        if self.use_gamma and self.gamma.array is None and self.W.array is not None:
            self.gamma.initialize(self._gamma_shape)

    def _rows_first(self, W):
        """W with the axis of its outputs first."""
        return W

    _rows_back = _rows_first  # the inverse

    def _as_matrix(self, W):
        """W as (d_out, d_in), the shape the singular values are those of."""
        W = self._rows_first(W)
        return W.reshape(W.shape[0], -1)

    @property
    def W_bar(self):
        """Variable of W's shape with spectral norm 1 (or `factor`, or gamma); steps `u` in training mode."""
        self._initialize_gamma()
        if self._is_joint:
            W_bar = jointly_normalized(self)
        else:
            W_bar = self._normalized_alone()
        if self.use_gamma:
            W_bar = W_bar * F.broadcast_to(as_configured(self.gamma), W_bar.shape)
        return W_bar

    @property
    def _is_joint(self):
        if self.fully_differentiable or self.W.array is None:
            return False
        return kernels('spectral_normalization.power_iterations', self.W, self.u) is not None

    def _normalized_alone(self):
        W = as_configured(self.W)
        factor = 1. if self.factor is None else self.factor
        if self.fully_differentiable:
            sigma, u, _ = max_singular_value_fully_differentiable(self._as_matrix(W), self.u, self.Ip)
            u = u.array
            W_bar = W * F.broadcast_to(factor / sigma, W.shape)
        else:
            u, v, sigma = power_iteration(self._as_matrix(W.array), self.u, self.Ip)
            W_bar = self._rows_back(spectral_normalization(self._rows_first(W), u, v, factor, sigma))
        # Differs from sngan_projection: there the dense, embedding and N-D links store u in test mode too.
        if chainer.config.train:
            self.u[...] = u
        return W_bar
