"""Batch normalization with a scale and shift for all, for each sample or for each label, and a following ReLU."""
from source.functions.precision import as_activations, as_float32
from source.functions.synchronized_batch_normalization import synchronized_normalize
from source.kernels.switch import channels_first, channels_last, kernels, takes_gpu_road

import chainer
import chainer.functions as F
from chainer import FunctionNode, backend


def cancels_bias(x):
    """Whether `batch_normalize` does without adding a bias to x first."""
    return chainer.config.batch_norm_processes is None and x.ndim == 4 and takes_gpu_road(x)


def batch_normalize(x, gamma, beta, running_mean, running_var, eps=2e-5, decay=.9, relu=False, labels=None,
                    bias=None):
    """Normalizes each channel by its mean and variance over the batch, then (max(0,)) gamma·x̂ + beta.

    Args:
        x: Variable (B, C, H, W).
        gamma, beta: Variables (C,), or (B, C) with one scale and shift per sample; with `labels` (n_cat, C).
        running_mean, running_var: arrays (C,); moved in place to decay·old + (1 − decay)·new, the variance unbiased.
        eps: added to the variance.
        relu: whether ReLU follows.
        labels: array, int (B,): which rows of gamma and beta the samples take.
        bias: Variable (C,), to be added to x first. It cancels but in running_mean, and with `cancels_bias` it goes
            there alone and gets no gradient, which is 0.
    """
    if bias is not None and not cancels_bias(x):
        x, bias = F.bias(x, bias), None
    processes = chainer.config.batch_norm_processes
    if processes is not None:
        gamma, beta = _of_labels(labels, gamma, beta)
        _check(x, gamma, beta)
        h = synchronized_normalize(as_float32(x), running_mean, running_var, eps, decay, processes)
        return _in_type_of(x, _scale_shift(h, gamma, beta, relu))
    function = _BatchNormalization(running_mean, running_var, eps, decay, relu, bias)
    return _normalize(function, x, gamma, beta, labels)


def fixed_batch_normalize(x, gamma, beta, mean, var, eps=2e-5, relu=False, labels=None):
    """As `batch_normalize`, with the given mean and variance, arrays (C,)."""
    return _normalize(_FixedBatchNormalization(mean, var, eps, relu), x, gamma, beta, labels)


def _normalize(function, x, gamma, beta, labels):
    if labels is not None and not (x.ndim == 4 and function.serve(x, gamma, beta, labels)):
        gamma, beta, labels = *_of_labels(labels, gamma, beta), None
    if labels is None:
        _check(x, gamma, beta)
        if not (x.ndim == 4 and function.serve(x, gamma, beta)):
            return function.plain(x, gamma, beta)
    return function.apply((x, gamma, beta))[0]


class _Normalization(FunctionNode):
    """Inputs x (B, C, H, W), gamma, beta. Keeps these alone for backward, as the fused kernels redo the rest."""

    name = None  # of the kernel

    def __init__(self, eps, relu):
        self.eps, self.relu, self.slope, self.labels = eps, relu, 0. if relu else 1., ()

    def serve(self, x, gamma, beta, labels=None):
        """Whether there is a kernel; where there is, it will be used."""
        name = self.name if labels is None else f'{self.name}_categorical'
        self.kernels = kernels(f'normalization.{name}', x, gamma, beta)
        if self.kernels is None:
            return False
        self.kernel = getattr(self.kernels, name)
        self.gradient = getattr(self.kernels, f'{name}_gradient', None)
        if labels is not None:
            self.labels = labels.astype('i', copy=False),
        return True

    def _plain(self, x, gamma, beta):
        """`plain` of the function's inputs, where it is to be differentiated twice."""
        labels, = self.labels or (None,)
        return _in_type_of(x, self.plain(as_float32(x), *_of_labels(labels, gamma, beta)))


class _BatchNormalization(_Normalization):

    name = 'batch_normalize'

    def __init__(self, running_mean, running_var, eps, decay, relu, bias=None):
        super().__init__(eps, relu)
        self.running, self.decay = (running_mean, running_var), decay
        self.bias = () if bias is None else (bias.array,)

    def plain(self, x, gamma, beta):
        running_mean, running_var = self.running
        one, zero = _one_zero(x)
        h = F.batch_normalization(x, one, zero, eps=self.eps, running_mean=running_mean, running_var=running_var,
                                  decay=self.decay)
        return _scale_shift(h, gamma, beta, self.relu)

    def forward(self, inputs):
        x, gamma, beta = inputs
        self.retain_inputs((0, 1, 2))
        y, *self.statistics = self.kernel(channels_last(x), gamma, beta, *self.labels, *self.running, self.eps,
                                          self.decay, self.slope, *self.bias)
        self.running = None, None
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        x, gamma, beta = self.get_retained_inputs()
        if chainer.config.enable_backprop:
            y = self._plain(x, gamma, beta)
            return chainer.grad([y], [x, gamma, beta], grad_outputs, enable_double_backprop=True)
        gx, *gradients = self.gradient(channels_last(x.array), channels_last(grad_outputs[0].array), gamma.array,
                                       beta.array, *self.labels, *self.statistics, self.slope)
        return [chainer.as_variable(g) for g in (channels_first(gx), *gradients)]


class _FixedBatchNormalization(_Normalization):

    name = 'fixed_batch_normalize'

    def __init__(self, mean, var, eps, relu):
        super().__init__(eps, relu)
        self.mean, self.var = mean, var

    def plain(self, x, gamma, beta):
        one, zero = _one_zero(x)
        h = F.fixed_batch_normalization(x, one, zero, self.mean, self.var, self.eps)
        return _scale_shift(h, gamma, beta, self.relu)

    def forward(self, inputs):
        x, gamma, beta = inputs
        self.retain_inputs((0, 1, 2))
        return channels_first(self.kernel(channels_last(x), gamma, beta, *self.labels, self.mean, self.var, self.eps,
                                          self.slope)),

    def backward(self, indexes, grad_outputs):
        x, gamma, beta = self.get_retained_inputs()
        twice = chainer.config.enable_backprop
        if not twice:
            x, gamma, beta = (chainer.Variable(v.array) for v in (x, gamma, beta))
        with chainer.force_backprop_mode():
            y = self._plain(x, gamma, beta)
        return chainer.grad([y], [x, gamma, beta], grad_outputs, enable_double_backprop=twice)


def _of_labels(labels, gamma, beta):
    """The rows of the tables gamma and beta that the labels name; without labels gamma and beta as they are."""
    return (gamma, beta) if labels is None else (F.embed_id(labels, gamma), F.embed_id(labels, beta))


def _in_type_of(x, y):
    return y if y.dtype == x.dtype else as_activations(y)


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
