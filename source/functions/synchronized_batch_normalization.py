"""Batch normalization by the statistics of the batches of all processes together.

Composed of Chainer's functions and one of our own, so that it can be differentiated any number of times.
"""
import chainer
import chainer.functions as F
from chainer import FunctionNode

chainer.global_config.batch_norm_processes = None  # a `Processes` where batch normalization is synchronized


class _Mean(FunctionNode):
    """y = Σ_r x_r / P over P processes, on each of them. As all of them go backward, so is the gradient of Σ_r L_r."""

    def __init__(self, processes):
        self.processes = processes

    def forward(self, inputs):
        return self.processes.mean(inputs[0]),

    def backward(self, indexes, grad_outputs):
        return mean_over_processes(grad_outputs[0], self.processes),


def mean_over_processes(x, processes):
    """The mean of a Variable over the processes, a Variable on each; all have to call it, and to go backward."""
    return _Mean(processes).apply((x,))[0]


def synchronized_normalize(x, running_mean, running_var, eps, decay, processes):
    """(x − μ) / √(σ² + eps) with μ, σ² of each channel over all processes' x, Variables (B, C, …) of one shape.

    The arrays running_mean, running_var (C,) move in place to decay·old + (1 − decay)·new, the variance unbiased.
    """
    axes = (0, *range(2, x.ndim))
    per_channel = (1, -1, *(1,) * (x.ndim - 2))

    def spread(values):
        return F.broadcast_to(F.reshape(values, per_channel), x.shape)
    mean = mean_over_processes(F.mean(x, axis=axes), processes)
    centred = x - spread(mean)
    var = mean_over_processes(F.mean(centred * centred, axis=axes), processes)
    n = x.size // x.shape[1] * processes.size
    running_mean += (1 - decay) * (mean.array - running_mean)
    running_var += (1 - decay) * (var.array * (n / max(n - 1, 1)) - running_var)
    return centred / spread(F.sqrt(var + eps))
