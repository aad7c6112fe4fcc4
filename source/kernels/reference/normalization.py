"""Batch normalization of channels-last arrays, with the (leaky) ReLU that follows.

Throughout, x (B, H, W, C); gamma, beta float32 (C,), or (B, C) with one scale and shift per sample; or tables gammas,
betas float32 (n_cat, C) read at labels int32 (B,). mean and inv_std = 1 / √(variance + eps) are float32 (C,).
`slope` multiplies negative results: 0 is ReLU, 1 leaves them alone. What is computed is

    y = a where a > 0, else slope·a,    a = gamma·inv_std·(x − mean) + beta
"""
from source.kernels.reference.precision import narrowed, widened

import numpy as np


def batch_normalize(x, gamma, beta, running_mean, running_var, eps, decay, slope, bias=None):
    """Normalizes by the statistics of the batch. Returns y, mean and inv_std.

    In place, running_mean and running_var (C,) become decay·old + (1 − decay)·new, the variance unbiased. A bias,
    float32 (C,), that was left out of x is in running_mean alone.
    """
    wide = widened(x).reshape(-1, x.shape[3])
    mean, var = wide.mean(0, dtype=np.float64), wide.var(0, dtype=np.float64)
    n = len(wide)
    moved = mean if bias is None else mean + bias
    running_mean += ((1 - decay) * (moved - running_mean)).astype(running_mean.dtype)
    running_var += ((1 - decay) * (var * (n / max(n - 1, 1)) - running_var)).astype(running_var.dtype)
    mean, inv_std = mean.astype(wide.dtype), (1 / np.sqrt(var + eps)).astype(wide.dtype)
    return _normalize(x, gamma, beta, mean, inv_std, slope), mean, inv_std


def batch_normalize_categorical(x, gammas, betas, labels, running_mean, running_var, eps, decay, slope, bias=None):
    """`batch_normalize` with gammas[labels] and betas[labels]."""
    return batch_normalize(x, gammas[labels], betas[labels], running_mean, running_var, eps, decay, slope, bias)


def fixed_batch_normalize(x, gamma, beta, mean, var, eps, slope):
    """Normalizes by the given mean and variance, float32 (C,). Returns y."""
    return _normalize(x, gamma, beta, mean, (1 / np.sqrt(var + np.float64(eps))).astype(mean.dtype), slope)


def fixed_batch_normalize_categorical(x, gammas, betas, labels, mean, var, eps, slope):
    """`fixed_batch_normalize` with gammas[labels] and betas[labels]."""
    return fixed_batch_normalize(x, gammas[labels], betas[labels], mean, var, eps, slope)


def scale_shift(x, scale, shift, slope):
    """y with a = scale·x + shift; scale, shift float32 (C,) or (B, C)."""
    wide = widened(x)
    return narrowed(_activated(_per_pixel(scale) * wide + _per_pixel(shift), slope), x.dtype)


def batch_normalize_gradient(x, gy, gamma, beta, mean, inv_std, slope):
    """The gradients of y of `batch_normalize`: gx like x, ggamma and gbeta like gamma."""
    wide, g = widened(x), widened(gy)
    a = _per_pixel(gamma * inv_std) * (wide - mean) + _per_pixel(beta)
    g = np.where(a > 0, g, slope * g)
    x_hat = (wide - mean) * inv_std
    gbeta, ggamma = g.sum((1, 2), dtype=np.float64), (g * x_hat).sum((1, 2), dtype=np.float64)  # (B, C)
    n = x[..., 0].size
    mean_g, mean_g_x = (((gamma * sums).sum(0) / n).astype(wide.dtype) for sums in (gbeta, ggamma))
    gx = inv_std * (_per_pixel(gamma) * g - mean_g - x_hat * mean_g_x)
    if gamma.ndim == 1:
        ggamma, gbeta = ggamma.sum(0), gbeta.sum(0)
    return narrowed(gx, x.dtype), ggamma.astype(wide.dtype), gbeta.astype(wide.dtype)


def batch_normalize_categorical_gradient(x, gy, gammas, betas, labels, mean, inv_std, slope):
    """The gradients of y of `batch_normalize_categorical`: gx like x, ggammas and gbetas like the tables."""
    gx, *per_sample = batch_normalize_gradient(x, gy, gammas[labels], betas[labels], mean, inv_std, slope)
    tables = []
    for gradient in per_sample:
        table = np.zeros_like(gammas)
        np.add.at(table, labels, gradient)
        tables.append(table)
    return gx, *tables


def _normalize(x, gamma, beta, mean, inv_std, slope):
    a = _per_pixel(gamma * inv_std) * (widened(x) - mean) + _per_pixel(beta)
    return narrowed(_activated(a, slope), x.dtype)


def _activated(a, slope):
    return np.where(a > 0, a, slope * a)


def _per_pixel(parameter):
    """(C,) or (B, C) → something that broadcasts to (B, H, W, C)."""
    return parameter if parameter.ndim == 1 else parameter[:, None, None]
