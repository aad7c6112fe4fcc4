"""Convolutions of channels-last arrays written for the eye, in float64: what the CPU kernels are compared with."""
import numpy as np


def _windows(x, k, stride, out_shape):
    """For each tap (a, b): the pixels x[:, stride i - 1 + a, stride j - 1 + b], zeros beyond the border."""
    height, width = out_shape
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, k + stride), (1, k + stride), (0, 0)))
    for a in range(k):
        for b in range(k):
            yield a, b, padded[:, a:a + stride * height:stride, b:b + stride * width:stride]


def _out_shape(x, k, stride):
    return tuple((n + 2 - k) // stride + 1 for n in x.shape[1:3])


def convolution(x, w, stride=1):
    k = w.shape[2]
    return sum(pixels @ w[:, :, a, b].T.astype(np.float64)
               for a, b, pixels in _windows(x, k, stride, _out_shape(x, k, stride)))


def convolution_data_gradient(gy, w, in_shape, stride=1):
    k = w.shape[2]
    padded = np.zeros((gy.shape[0], in_shape[0] + k + 2, in_shape[1] + k + 2, w.shape[1]))
    for a in range(k):
        for b in range(k):
            rows, columns = slice(a, a + stride * gy.shape[1], stride), slice(b, b + stride * gy.shape[2], stride)
            padded[:, rows, columns] += gy @ w[:, :, a, b].astype(np.float64)
    return padded[:, 1:1 + in_shape[0], 1:1 + in_shape[1]]


def convolution_weight_gradient(x, gy, k, stride=1):
    gw = np.zeros((gy.shape[3], x.shape[3], k, k))
    for a, b, pixels in _windows(x, k, stride, gy.shape[1:3]):
        gw[:, :, a, b] = np.einsum('nhwo,nhwc->oc', gy.astype(np.float64), pixels)
    return gw


def upsample(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def upsample_gradient(gy):
    return 4 * average_pool(gy)


def average_pool(x):
    n, h, w, c = x.shape
    return x[:, :h // 2 * 2, :w // 2 * 2].astype(np.float64).reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))


def average_pool_gradient(gy, in_shape):
    gx = np.zeros((gy.shape[0], *in_shape, gy.shape[3]))
    gx[:, :gy.shape[1] * 2, :gy.shape[2] * 2] = upsample(gy) / 4
    return gx


def activate(x, slope):
    return np.where(x > 0, x, slope * x)
