"""1×1 convolutions of channels-last float32 arrays: matrix products over all pixels.

x (N, H, W, C), w (O, C, 1, 1) and y (N, H, W, O); `slope` and `gate` as in `convolution.py`.
"""
from source.kernels.cpu.channel_sum import channel_sum

import numpy as np


def _activate(x, slope):
    return x if slope == 1 else np.maximum(x, np.float32(slope) * x)


def convolution_1x1(x, w, bias=None, slope=1):
    y = _activate(x, slope).reshape(-1, x.shape[3]) @ w.reshape(w.shape[:2]).T
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:3], -1)


def convolution_1x1_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    gx = (gy.reshape(-1, gy.shape[3]) @ w.reshape(w.shape[:2])).reshape(*gy.shape[:3], -1)
    if gate is not None:
        gx *= np.where(gate > 0, np.float32(1), np.float32(slope))
    return gx


def convolution_1x1_weight_gradient(x, gy, slope=1):
    """The gradients of the weight and of the bias."""
    gw = gy.reshape(-1, gy.shape[3]).T @ _activate(x, slope).reshape(-1, x.shape[3])
    return gw[:, :, None, None], channel_sum(gy)
