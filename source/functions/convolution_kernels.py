"""Convolution kernels, of a CPU or a GPU, as functions of Variables, differentiable any number of times.

Convolution is bilinear in x and W, so the gradients of its three passes are those same passes again:

    forward(x, W) → y       data_gradient(gy, W) → gx       weight_gradient(x, gy) → gW

With a (leaky) ReLU on x, `slope` times negative values, the passes read x through it and gate gx by it.
"""
from collections import namedtuple

from source.functions.activation import Gate, rectify, slope_of
from source.functions.prepared_weights import prepared
from source.functions.residual import RectifiedBranch
from source.kernels.switch import channels_first, channels_last, kernels, takes_gpu_road

import chainer.functions as F
import numpy as np
from chainer import FunctionNode, backend

Kernel = namedtuple('Kernel', 'name module forward data_gradient weight_gradient')
NAMES = {  # (operation, ksize, stride, pad): name in the module `convolution` of a set of kernels
    ('convolution', 1, 1, 0): 'convolution_1x1',
    ('convolution', 3, 1, 1): 'convolution_3x3',
    ('convolution', 4, 2, 1): 'convolution_4x4_stride_2',
    ('deconvolution', 4, 2, 1): 'deconvolution_4x4_stride_2',
    ('upsample_convolution', 3, 1, 1): 'upsample_convolution_3x3',
    ('convolution_downsample', 3, 1, 1): 'convolution_3x3_downsample',
}


def kernel_for(operation, x, W, b, stride, pad, activation):
    """The Kernel for an operation on these Variables or arrays, or None where there is none."""
    if slope_of(activation) is None or x.ndim != 4 or W.ndim != 4:
        return None
    in_axis = 0 if operation == 'deconvolution' else 1
    if W.shape[in_axis] != x.shape[1] or (b is not None and b.shape != (W.shape[1 - in_axis],)):
        return None  # Chainer's own function says what is wrong
    sizes = [set(np.atleast_1d(size).tolist()) for size in (W.shape[2:], stride, pad)]
    if any(len(size) != 1 for size in sizes) or min(x.shape) == 0:
        return None
    ksize, stride, pad = (size.pop() for size in sizes)
    if operation == 'convolution_downsample' and min(x.shape[2:]) < 2:
        return None
    name = NAMES.get((operation, ksize, stride, pad))
    module = name and kernels(f'convolution.{name}', x, W, b)
    return Kernel(name, module, *(getattr(module, name + suffix)
                                  for suffix in ('', '_data_gradient', '_weight_gradient'))) if module else None


def convolve(kernel, slope, x, W, b=None, next_slope=1.):
    """Runs a kernel on Variables x (B, C, H, W), its weight and its bias.

    next_slope: of what reads the result. Where that is 0, ReLU, it may be applied here: once more changes nothing.
    """
    if not takes_gpu_road(x):
        return _Convolution(kernel, slope).apply((x, W) if b is None else (x, W, b))[0]
    if 0 <= slope < 1:
        # A pass of its own there: kept, it need not be repeated for the gradients.
        x, slope = x if slope == 0 and _is_rectified(x) else rectify(slope, x), 1.
    return _Convolution(kernel, slope, next_slope == 0).apply((x, W) if b is None else (x, W, b))[0]


def _is_rectified(x):
    """Whether it is known to come out of ReLU."""
    if isinstance(x.creator, RectifiedBranch):
        return x.creator.outputs[0]() is x.node
    return isinstance(x.creator, _Convolution) and x.creator.relu


class _Convolution(FunctionNode):
    """relu: whether ReLU follows, in the same kernel; on the GPU's road alone."""

    def __init__(self, kernel, slope, relu=False):
        self.kernel, self.slope, self.relu = kernel, slope, relu

    def forward(self, inputs):
        x, W, *b = inputs
        self.retain_inputs((0, 1))
        self.prepared, b = prepared(self.kernel, W, *(b or (None,)), x.dtype)
        if self.relu:
            self.retain_outputs((0,))
            return channels_first(self.kernel.forward(channels_last(x), self.prepared, b, self.slope, True)),
        return channels_first(self.kernel.forward(channels_last(x), self.prepared, b, self.slope)),

    def backward(self, indexes, grad_outputs):
        x, W = self.get_retained_inputs()
        if self.relu:
            y, = self.get_retained_outputs()
            grad_outputs = Gate(kernels('elementwise.gate', y), y.array, 0.).apply(grad_outputs)
        gradients = {}
        if 0 in indexes:
            function = _DataGradient(self.kernel, self.slope, x.array, self.prepared)
            gradients[0], = function.apply((*grad_outputs, W))
        if 1 in indexes or 2 in indexes:
            gradients[1], gradients[2] = _WeightGradient(self.kernel, self.slope).apply((x, *grad_outputs))
        return [gradients[i] for i in indexes]


class _DataGradient(FunctionNode):
    """gx from (gy, W); `x` is read for its shape and as the gate alone; `prepared` is W as the forward pass read it."""

    def __init__(self, kernel, slope, x, prepared=None):
        self.kernel, self.slope, self.x, self.prepared = kernel, slope, x, prepared

    def forward(self, inputs):
        gy, W = inputs
        self.retain_inputs((0, 1))
        gate = None if self.slope == 1 else channels_last(self.x)
        W = W if self.prepared is None else self.prepared
        return channels_first(self.kernel.data_gradient(channels_last(gy), W, self.x.shape[2:], gate, self.slope)),

    def backward(self, indexes, grad_outputs):
        gy, W = self.get_retained_inputs()
        q, = grad_outputs
        if self.slope != 1:
            xp = backend.get_array_module(self.x)
            q = q * xp.where(self.x > 0, np.float32(1), np.float32(self.slope))
        gradients = {}
        if 0 in indexes:
            gradients[0] = convolve(self.kernel, 1., q, W)
        if 1 in indexes:
            gradients[1] = _WeightGradient(self.kernel, 1.).apply((q, gy))[0]
        return [gradients[i] for i in indexes]


class _WeightGradient(FunctionNode):
    """(gW, gb) from (x, gy)."""

    def __init__(self, kernel, slope):
        self.kernel, self.slope = kernel, slope

    def forward(self, inputs):
        x, gy = inputs
        self.retain_inputs((0, 1))
        return self.kernel.weight_gradient(channels_last(x), channels_last(gy), self.slope)

    def backward(self, indexes, grad_outputs):
        x, gy = self.get_retained_inputs()
        ggW, ggb = grad_outputs
        gx = ggy = None
        if ggW is not None:
            gx, = _DataGradient(self.kernel, self.slope, x.array).apply((gy, ggW))
            ggy = convolve(self.kernel, self.slope, x, ggW)
        if ggb is not None:
            per_channel = F.broadcast_to(F.reshape(ggb, (1, -1, 1, 1)), gy.shape)
            ggy = per_channel if ggy is None else ggy + per_channel
        gradients = gx, ggy
        return [gradients[i] for i in indexes]
