"""Between Chainer's layouts of weights and cuDNN's, and the folding of a resampling into a weight.

A packed weight is (K, kh, kw, C): K the channels of a convolution's output, C those of its input. A transposed
convolution is that convolution's data gradient, so its weight (C, O, k, k) is packed as K = C, C = O. Channels may be
filled up with zeros, as tensor cores want them.
"""
from source.kernels.reference.channel_sum import channel_sum

import numpy as np

# One axis of the 4 taps that do the work of 3: pooling averages the kernel with its neighbour's copy, and upsampling
# lets two adjacent (reversed) taps meet the same pixel.
POOLED = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]) / 2
UPSAMPLED = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float64)
TAPS = {None: None, 'pooled': POOLED, 'upsampled': UPSAMPLED}


def fold(w, taps):
    """w (O, C, 3, 3) with TAPS[taps] on both axes → (O, C, 4, 4); for None w itself."""
    if taps is None:
        return w
    matrix = TAPS[taps].astype(w.dtype)
    return matrix @ w @ matrix.T


def unfold(gw, taps):
    """The adjoint of `fold`: (O, C, 4, 4) → (O, C, 3, 3)."""
    if taps is None:
        return gw
    matrix = TAPS[taps].astype(gw.dtype)
    return matrix.T @ gw @ matrix


def pack_weight(w, taps, swap, dtype, channels):
    """w float32 (K, C, k, k), or with `swap` (C, K, k, k), folded → (*channels[:1], k', k', *channels[1:]) of dtype.

    `channels` are K and C of the result, at least those of w.
    """
    w = fold(w, taps)
    w = w.transpose(1, 2, 3, 0) if swap else w.transpose(0, 2, 3, 1)
    packed = np.zeros((channels[0], *w.shape[1:3], channels[1]), dtype)
    packed[:w.shape[0], :, :, :w.shape[3]] = w.astype(dtype)
    return packed


def pack_weights(ws, taps, swaps, channels, dtype):
    """`pack_weight` of many: lists of equal lengths, but for the dtype."""
    return [pack_weight(w, tap, swap, dtype, filled)
            for w, tap, swap, filled in zip(ws, taps, swaps, channels, strict=True)]


def unpack_weight_gradient(g, taps, swap, shape):
    """The adjoint of `pack_weight`: g (K', k', k', C') → float32 (or float64) of w's `shape`."""
    n_out, n_in = (shape[1], shape[0]) if swap else shape[:2]
    g = g[:n_out, :, :, :n_in].astype(np.float64 if g.dtype == np.float64 else np.float32)
    return unfold(np.ascontiguousarray(g.transpose((3, 0, 1, 2) if swap else (0, 3, 1, 2))), taps)


def unpack_gradients(g, taps, swap, shape, gy):
    """`unpack_weight_gradient` of g, and the sums of gy (…, O), of the same dtype, over all but its channels."""
    return unpack_weight_gradient(g, taps, swap, shape), channel_sum(gy)


def with_channels(x, channels):
    """x (…, C) with that many channels: the last ones zero, or left out."""
    if channels <= x.shape[-1]:
        return np.ascontiguousarray(x[..., :channels])
    return np.concatenate([x, np.zeros((*x.shape[:-1], channels - x.shape[-1]), x.dtype)], axis=-1)


def pack_bias(bias, dtype, channels):
    """bias float32 (O,) → (channels,) of dtype, filled up with zeros."""
    return with_channels(bias.astype(dtype), channels)


def add_bias(y, bias):
    """y (…, O) += bias (O,) of the same dtype, in place; added in float32."""
    y[...] = (y.astype(np.float32) + bias.astype(np.float32)).astype(y.dtype)
