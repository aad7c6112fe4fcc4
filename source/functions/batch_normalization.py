"""Batch normalization with per-sample scale and shift and a following ReLU, as one function."""
from source.functions.synchronized_batch_normalization import synchronized_normalize
from source.kernels.switch import channels_first, channels_last, cpu_kernels_serve

import chainer
import chainer.functions as F
import numpy as np
from chainer import FunctionNode, backend


def batch_normalize(x, gamma, beta, running_mean, running_var, eps=2e-5, decay=.9, relu=False):
    """Normalizes each channel by its mean and variance over the batch, then (max(0,)) gamma·x̂ + beta.

    Args:
        x: Variable (B, C, H, W).
        gamma, beta: Variables (C,), or (B, C) with one scale and shift per sample.
        running_mean, running_var: arrays (C,); moved in place to decay·old + (1 − decay)·new, the variance unbiased.
        eps: added to the variance.
        relu: whether ReLU follows.
    """
    _check(x, gamma, beta)
    if chainer.config.batch_norm_processes is not None:
        h = synchronized_normalize(x, running_mean, running_var, eps, decay, chainer.config.batch_norm_processes)
        return _scale_shift(h, gamma, beta, relu)
    if x.ndim == 4 and cpu_kernels_serve(x, gamma, beta):
        function = _BatchNormalization(eps, relu, running_mean, running_var, decay)
        return function.apply((x, _per_sample(gamma, x), _per_sample(beta, x)))[0]
    return _plain(x, gamma, beta, eps, relu, running_mean, running_var, decay)


def fixed_batch_normalize(x, gamma, beta, mean, var, eps=2e-5, relu=False):
    """As `batch_normalize`, with the given mean and variance, arrays (C,)."""
    _check(x, gamma, beta)
    if x.ndim == 4 and cpu_kernels_serve(x, gamma, beta):
        inv_std = 1 / np.sqrt(var + eps)
        scale = _per_sample(gamma, x) * np.broadcast_to(inv_std, (len(x), len(inv_std)))
        shift = _per_sample(beta, x) - scale * np.broadcast_to(mean, scale.shape)
        return _ScaleShift(relu).apply((x, scale, shift))[0]
    one, zero = _one_zero(x)
    return _scale_shift(F.fixed_batch_normalization(x, one, zero, mean, var, eps), gamma, beta, relu)


def _plain(x, gamma, beta, eps, relu, running_mean=None, running_var=None, decay=.9):
    one, zero = _one_zero(x)
    h = F.batch_normalization(x, one, zero, eps=eps, running_mean=running_mean, running_var=running_var, decay=decay)
    return _scale_shift(h, gamma, beta, relu)


def _one_zero(x):
    xp = backend.get_array_module(x)
    return xp.ones(x.shape[1], x.dtype), xp.zeros(x.shape[1], x.dtype)


def _scale_shift(h, gamma, beta, relu):
    per_channel = (*(gamma.shape if gamma.ndim == 2 else (1, *gamma.shape)), *(1,) * (h.ndim - 2))
    gamma = F.broadcast_to(F.reshape(gamma, per_channel), h.shape)
    beta = F.broadcast_to(F.reshape(beta, per_channel), h.shape)
    h = gamma * h + beta
    return F.relu(h) if relu else h


def _check(x, *parameters):
    for parameter in parameters:
        if parameter.shape not in (x.shape[1:2], x.shape[:2]):
            raise ValueError(f'scale and shift must have shape {x.shape[1:2]} or {x.shape[:2]} for x of shape '
                             f'{x.shape}, got {parameter.shape}')


def _per_sample(parameter, x):
    parameter = chainer.as_variable(parameter)
    return parameter if parameter.ndim == 2 else F.broadcast_to(parameter, (len(x), *parameter.shape))


def _pixels(x):
    """(B, C, H, W) → (B, H·W, C)."""
    x = channels_last(x)
    return x.reshape(len(x), -1, x.shape[3])


def _image(y, shape):
    return channels_first(y.reshape(shape[0], *shape[2:], shape[1]))


class _BatchNormalization(FunctionNode):
    """Inputs x (B, C, H, W), gamma, beta (B, C). Keeps x alone for backward, as the fused kernels redo the rest."""

    def __init__(self, eps, relu, running_mean, running_var, decay):
        self.eps, self.relu, self.slope = eps, relu, np.float32(0 if relu else 1)
        self.running = running_mean, running_var, decay

    def forward(self, inputs):
        from source.kernels.cpu import normalization as kernels
        x, gamma, beta = inputs
        self.retain_inputs((0, 1, 2))
        pixels = _pixels(x)
        mean, var = kernels.batch_statistics(pixels)
        m = pixels.shape[0] * pixels.shape[1]
        running_mean, running_var, decay = self.running
        running_mean += (1 - decay) * (mean - running_mean)
        running_var += (1 - decay) * (var * (m / max(m - 1, 1)) - running_var)
        self.mean, self.inv_std = mean, 1 / np.sqrt(var + self.eps)
        y = np.empty_like(pixels)
        kernels.scale_shift(pixels, *self._scale_shift(gamma, beta), self.slope, y)
        return _image(y, x.shape),

    def _scale_shift(self, gamma, beta):
        scale = gamma * self.inv_std
        return scale.astype(np.float32), (beta - scale * self.mean).astype(np.float32)

    def backward(self, indexes, grad_outputs):
        x, gamma, beta = self.get_retained_inputs()
        if chainer.config.enable_backprop:
            y = _plain(x, gamma, beta, self.eps, self.relu)
            return chainer.grad([y], [x, gamma, beta], grad_outputs, enable_double_backprop=True)
        gradients = self._gradients(x.array, gamma.array, beta.array, grad_outputs[0].array)
        return [chainer.as_variable(g) for g in gradients]

    def _gradients(self, x, gamma, beta, gy):
        from source.kernels.cpu import normalization as kernels
        pixels, gy = _pixels(x), _pixels(gy)
        scale, shift = self._scale_shift(gamma, beta)
        sums = np.empty((len(pixels), 2, pixels.shape[2]))
        kernels.scale_shift_sums(pixels, gy, scale, shift, self.slope, self.mean.astype(np.float32), sums)
        gbeta, ggamma = sums[:, 0], sums[:, 1] * self.inv_std
        m = pixels.shape[0] * pixels.shape[1]
        mean_g = (gamma * gbeta).sum(0) / m
        mean_g_x = (gamma * ggamma).sum(0) / m
        x_coefficient = -self.inv_std ** 2 * mean_g_x
        per_channel = -self.inv_std * mean_g - x_coefficient * self.mean
        gx = np.empty_like(pixels)
        kernels.batch_normalization_gradient(pixels, gy, scale, shift, self.slope, per_channel.astype(np.float32),
                                             x_coefficient.astype(np.float32), gx)
        return _image(gx, x.shape), ggamma.astype(np.float32), gbeta.astype(np.float32)


class _ScaleShift(FunctionNode):
    """(max(0,)) scale·x + shift with x (B, C, H, W), scale, shift (B, C)."""

    def __init__(self, relu):
        self.relu, self.slope = relu, np.float32(0 if relu else 1)

    def forward(self, inputs):
        from source.kernels.cpu.normalization import scale_shift
        x, scale, shift = inputs
        self.retain_inputs((0, 1, 2))
        pixels = _pixels(x)
        y = np.empty_like(pixels)
        scale_shift(pixels, scale, shift, self.slope, y)
        return _image(y, x.shape),

    def backward(self, indexes, grad_outputs):
        x, scale, shift = self.get_retained_inputs()
        g, = grad_outputs
        scale_of_pixels = F.broadcast_to(F.reshape(scale, (*scale.shape, 1, 1)), x.shape)
        if self.relu:
            g = g * (scale_of_pixels.array * x.array + shift.array[:, :, None, None] > 0).astype(g.dtype)
        return g * scale_of_pixels, F.sum(g * x, axis=(2, 3)), F.sum(g, axis=(2, 3))
