"""The weights of links, before and after normalization, and how large they are."""
from math import nan

import chainer
import chainer.links as L
import numpy as np
from chainer.backends import cuda


def weights_of(model):
    """(path, W) of every link with a weight, W a Variable; its first axis is that of the outputs.

    W is the weight before any normalization.
    """
    return [(path, link.W) for path, link in model.namedlinks() if isinstance(getattr(link, 'W', None),
                                                                              chainer.Variable)]


def effective_weights(model):
    """(path, matrix) of every link with a weight: what the link computes with, an array (d_out, everything else).

    Normalized weights are as normalized, multipliers included; `u` of spectral normalization stays as it is.
    """
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        return [(path, _effective(link)) for path, link in model.namedlinks()
                if isinstance(getattr(link, 'W', None), chainer.Variable)]


def _effective(link):
    W = getattr(link, 'W_bar', link.W).array
    return W.reshape(len(W), -1)


def layer_name(path):
    """'block1/c1' for a link's path '/block1/c1'."""
    return path.strip('/')


def singular_values(model):
    """{layer: its singular values, descending, float (min(d_out, d_in),)} of the weights the model computes with."""
    found = {}
    for path, W in effective_weights(model):
        W = cuda.to_cpu(W)
        finite = np.isfinite(W).all()
        found[layer_name(path)] = np.linalg.svd(W, compute_uv=False) if finite else np.full(min(W.shape), np.nan)
    return found


def spectral_norm(link, normalized=False):
    """Return the spectral norm, a float, of a link's weight W or, with `normalized`, of W_bar, which it computes with.

    Exact, by a decomposition of the matrix (d_out, everything else), as in Miyato et al. (2018), section 4; that of a
    convolution as an operator is another. NaN for a weight that is not finite. Raises ValueError for a link without a
    weight, and for one that reads its number of inputs off a first batch and has seen none.
    """
    W = getattr(link, 'W', None)
    if not isinstance(W, chainer.Variable):
        raise ValueError(f'expected a link with a weight W, as SNConvolution2D has, got {type(link).__name__}')
    if W.array is None:
        raise ValueError(f'{type(link).__name__} has no weight yet: it reads its number of inputs off the first batch')
    if normalized:
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            W = getattr(link, 'W_bar', W)
    array = cuda.to_cpu(W.array)
    if isinstance(link, (L.Deconvolution2D, L.DeconvolutionND)):
        array = array.swapaxes(0, 1)  # of (in, out, ...)
    return float(np.linalg.svd(array.reshape(len(array), -1), compute_uv=False)[0]) if np.isfinite(array).all() else nan
