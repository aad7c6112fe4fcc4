"""EfficientNet-Lite0 on a CPU: batch normalization folded into the weights, on the kernels of inference.

`EfficientNetLite0` itself is the readable twin, which this one is tested against.
"""
from source.kernels.cpu import gathered_convolution, memory, pooling
from source.kernels.cpu.depthwise import convolve_depthwise
from source.kernels.switch import channels_last
from source.links.folding import folded

import numpy as np

_CEILING = np.float32(6)  # of ReLU6
_CHUNK = 8  # images at a time


class CpuInference:
    """Called with x, float32 (N, 3, H, W) as EfficientNetLite0.scale makes it, returns its features, (N, 1280).

    It holds a copy of the weights of `model`, which is on the CPU, as they are now.
    """

    def __init__(self, model):
        self._stem = _Dense(model._conv_stem, model._bn0)
        self._blocks = [_Block(block) for block in model._blocks]
        self._head = _Dense(model._conv_head, model._bn1)

    def __call__(self, x):
        feats = memory.empty((len(x), 1280))
        for start in range(0, len(x), _CHUNK):
            h = np.minimum(self._stem(channels_last(x[start:start + _CHUNK])), _CEILING)
            for block in self._blocks:
                h = block(h)
            pooling.mean_of_pixels(np.minimum(self._head(h), _CEILING), feats[start:start + _CHUNK])
        return feats


class _Block:
    def __init__(self, block):
        self._expand = _Dense(block._expand_conv, block._bn0) if hasattr(block, '_expand_conv') else None
        self._depthwise = _Depthwise(block._depthwise_conv, block._bn1)
        self._project = _Dense(block._project_conv, block._bn2, floor=-np.inf)
        self._adds_input = block.adds_input

    def __call__(self, x):
        y = self._project(self._depthwise(x if self._expand is None else self._expand(x)))
        return y + x if self._adds_input else y


class _Dense:
    """A convolution over all channels, then ReLU, with a `floor` of −∞ nothing; the ceiling is left to what follows."""

    def __init__(self, conv, bn, floor=0.):
        w, bias = folded(conv, bn)
        self._stride, self._ksize, self._floor = conv.stride[0], w.shape[2], floor
        self._w, self._bias, self._packed = w, bias, {}

    def __call__(self, x):
        (top, height), (left, width) = (_same(extent, self._ksize, self._stride) for extent in x.shape[1:3])
        if (top, left) not in self._packed:
            self._packed[top, left] = gathered_convolution.pack(self._w, self._bias, self._stride, (top, left))
        y = memory.empty((len(x), height, width, len(self._bias)))
        gathered_convolution.convolve(self._packed[top, left], x, y, floor=self._floor)
        return y


class _Depthwise:
    """The ceiling of ReLU6 on what comes in, the convolution of each channel, ReLU6 on what goes out."""

    def __init__(self, conv, bn):
        w, self._bias = folded(conv, bn)
        self._taps, self._stride = np.ascontiguousarray(w[:, 0].transpose(1, 2, 0)), conv.stride[0]

    def __call__(self, x):
        (top, height), (left, width) = (_same(extent, len(self._taps), self._stride) for extent in x.shape[1:3])
        y = memory.empty((len(x), height, width, x.shape[3]))
        convolve_depthwise(x, self._taps, self._bias, self._stride, top, left, _CEILING, y)
        return y


def _same(extent, ksize, stride):
    """(padding before, pixels out) of TensorFlow's 'same' padding."""
    out = -(-extent // stride)
    return max((out - 1) * stride + ksize - extent, 0) // 2, out
