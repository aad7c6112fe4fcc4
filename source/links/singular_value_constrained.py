"""Links parametrized by their singular value decomposition (eq. 28).

The paper gives no algorithm. Here the optimizer moves U, S and V as it likes, and then `retract` brings them back onto
the constraint by the QR retraction of the Stiefel manifold (Absil, Mahony & Sepulchre, 2008, example 4.1.3): the Q
factor of U and of V, with R's diagonal positive. S is divided by its largest absolute value. The gradients are not
projected onto the tangent space, as Adam's scaling would leave that anyway.
"""
from source.functions.linear import linear
from source.links.constant_weights import as_configured
from source.links.convolution_2d import Convolution2D
from source.links.embed_id import EmbedID
from source.links.linear import Linear

import chainer
import chainer.functions as F
import numpy as np
from chainer import backend, variable
from chainer.initializers import LeCunNormal, Normal


def qr_retraction(X):
    """The Q factor of X (n, p), n ≥ p, with the signs that make R's diagonal positive; Q = X where X is orthonormal."""
    xp = backend.get_array_module(X)
    Q, R = xp.linalg.qr(X)
    signs = xp.where(xp.diagonal(R) < 0, -1, 1).astype(X.dtype)
    return (Q * signs).astype(X.dtype, copy=False)


class SingularValueConstrained:
    """W = U S Vᵀ with UᵀU = VᵀV = I and max_i |S_ii| = K (eq. 28); `W` and `W_bar` are that product.

    Parameters: `U` (d_out, P), `S` (P,), `V` (d_in, P), P = min(d_out, d_in). They start as the decomposition of what
    `initialW` draws, with the singular values scaled so that the largest is K. S may change sign on its way.
    """

    K = 1.

    def _init_decomposition(self, shape, initialW):
        self._shape = shape
        W = variable.Parameter(LeCunNormal() if initialW is None else initialW, shape).array
        U, S, Vt = np.linalg.svd(W.reshape(shape[0], -1), full_matrices=False)
        with self.init_scope():
            self.U = variable.Parameter(U)
            self.S = variable.Parameter(self.K / S[0] * S)
            self.V = variable.Parameter(np.ascontiguousarray(Vt.T))

    def retract(self):
        """Back onto the constraint; called after each of the optimizer's updates."""
        self.U.array[...] = qr_retraction(self.U.array)
        self.V.array[...] = qr_retraction(self.V.array)
        self.S.array *= self.K / abs(self.S.array).max()

    @property
    def W_bar(self):
        U, S, V = (as_configured(parameter) for parameter in (self.U, self.S, self.V))
        return F.reshape(F.matmul(U * F.broadcast_to(S, U.shape), V, transb=True), self._shape)

    W = W_bar


class USVConvolution2D(SingularValueConstrained, Convolution2D):
    """2-D convolution; `W` (out, in, kh, kw), decomposed as (out, in·kh·kw)."""

    def __init__(self, in_channels, out_channels, ksize, stride=1, pad=0, nobias=False, initialW=None,
                 initial_bias=None):
        chainer.Link.__init__(self)
        self.ksize, self.stride, self.pad = ksize, (stride, stride), (pad, pad)
        self._init_decomposition((out_channels, in_channels, ksize, ksize), initialW)
        with self.init_scope():
            self.b = None if nobias else variable.Parameter(initial_bias or 0, out_channels)

    def _weights(self, x):
        return self.W_bar, as_configured(self.b)


class USVLinear(SingularValueConstrained, Linear):
    """Dense layer; `W` (out, in)."""

    def __init__(self, in_size, out_size, nobias=False, initialW=None, initial_bias=None):
        chainer.Link.__init__(self)
        self._init_decomposition((out_size, in_size), initialW)
        with self.init_scope():
            self.b = None if nobias else variable.Parameter(initial_bias or 0, out_size)

    def forward(self, x):
        return linear(x, self.W_bar, as_configured(self.b))


class USVEmbedID(SingularValueConstrained, EmbedID):
    """Embedding; `W` (in_size, out_size)."""

    def __init__(self, in_size, out_size, initialW=None, ignore_label=None):
        chainer.Link.__init__(self)
        self.ignore_label = ignore_label
        self._init_decomposition((in_size, out_size), Normal(1.) if initialW is None else initialW)
