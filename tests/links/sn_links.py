"""The spectrally normalized links beside Chainer's plain ones, for tests that hold of them all."""
from collections import namedtuple

from source.links.sn_convolution_2d import SNConvolution2D
from source.links.sn_convolution_nd import SNConvolutionND
from source.links.sn_deconvolution_2d import SNDeconvolution2D
from source.links.sn_embed_id import SNEmbedID
from source.links.sn_linear import SNLinear

import chainer
import chainer.links as L
import numpy as np
from chainer.backend import get_array_module

# `args` are those of both links, with `lazy` in place of the first size where that may be None; the spectral norm is
# that of W with `axis` brought to the front, then flattened to two axes.
Kind = namedtuple('Kind', 'sn plain args lazy W_shape axis x_shape gamma_shape')
KINDS = {
    'linear': Kind(SNLinear, L.Linear, (6, 4), (None, 4), (4, 6), 0, (3, 6), (1, 1)),
    'linear_wide_input': Kind(SNLinear, L.Linear, (8, 4), (None, 4), (4, 8), 0, (3, 2, 2, 2), (1, 1)),
    'convolution_2d': Kind(SNConvolution2D, L.Convolution2D, (3, 5, 3, 2, 1), (None, 5, 3, 2, 1), (5, 3, 3, 3), 0,
                           (2, 3, 5, 4), (1, 1, 1, 1)),
    'convolution_3x3': Kind(SNConvolution2D, L.Convolution2D, (3, 5, 3, 1, 1), (None, 5, 3, 1, 1), (5, 3, 3, 3), 0,
                            (2, 3, 6, 4), (1, 1, 1, 1)),
    'convolution_1d': Kind(SNConvolutionND, L.ConvolutionND, (1, 3, 5, 3, 1, 1), (1, None, 5, 3, 1, 1), (5, 3, 3), 0,
                           (2, 3, 6), (1, 1, 1)),
    'convolution_3d': Kind(SNConvolutionND, L.ConvolutionND, (3, 2, 5, 2), (3, None, 5, 2), (5, 2, 2, 2, 2), 0,
                           (2, 2, 3, 4, 3), (1,) * 5),
    'deconvolution_2d': Kind(SNDeconvolution2D, L.Deconvolution2D, (3, 5, 4, 2, 1), (None, 5, 4, 2, 1), (3, 5, 4, 4), 1,
                             (2, 3, 3, 2), (1, 1, 1, 1)),
    'embed_id': Kind(SNEmbedID, L.EmbedID, (7, 4), None, (7, 4), 0, (5,), None),
}
WITH_GAMMA = [name for name, kind in KINDS.items() if kind.gamma_shape is not None]


def make(name, dtype=np.float32, lazy=False, **kwargs):
    """The link with a random bias and a `u` drawn anew."""
    kind = KINDS[name]
    rng = np.random.RandomState(0)
    if name != 'embed_id':
        kwargs['initial_bias'] = rng.normal(size=kind.W_shape[kind.axis])
    with chainer.using_config('dtype', np.dtype(dtype)):
        link = kind.sn(*(kind.lazy if lazy else kind.args), initialW=InitialW(), **kwargs)
    link.u[...] = rng.normal(size=link.u.shape)
    return link


class InitialW:
    """An initializer that draws the same numbers each time."""

    def __call__(self, array):
        array[...] = get_array_module(array).asarray(np.random.RandomState(1).normal(size=array.shape))


def draw_x(name, dtype=np.float32, seed=2):
    kind = KINDS[name]
    rng = np.random.RandomState(seed)
    if name == 'embed_id':
        return rng.randint(kind.args[0], size=kind.x_shape).astype(np.int32)
    return rng.normal(size=kind.x_shape).astype(dtype)


def matrix(name, W):
    """W as the matrix whose singular values count, in float64."""
    kind = KINDS[name]
    W = W.array if isinstance(W, chainer.Variable) else W
    return np.moveaxis(W.astype(np.float64), kind.axis, 0).reshape(W.shape[kind.axis], -1)


def singular_values(name, W):
    return np.linalg.svd(matrix(name, W), compute_uv=False)


def iterate(M, u, Ip):
    """Algorithm 1 on vectors: u after Ip rounds, (1, d_out), and its sigma."""
    u = u[0].astype(np.float64)
    for _ in range(Ip):
        v = M.T @ u / np.linalg.norm(M.T @ u)
        u = M @ v / np.linalg.norm(M @ v)
    return u[None], u @ M @ v


def converge(link, rounds=400):
    for _ in range(rounds):
        link.W_bar  # noqa: B018  (steps u)
