"""The 2015 Inception network on a CPU: batch normalization folded into the weights, on the kernels of inference.

`Inception` itself is the readable twin, which this one is tested against. The bits of an image's features and
probabilities depend neither on the other images, nor on how many there are, nor on the number of threads.
"""
import math

from source.inception import resize
from source.inception.architecture import LAYERS, N_CLASSES, N_FEATURES, SIZE, Conv, Mixed, shape_after
from source.kernels.cpu import bilinear, gathered_convolution, memory, pooling
from source.links.folding import folded

import numpy as np

_CHUNK = 8  # images at a time: 11 MB each, while the weights, 96 MB, are read once a chunk


class CpuInference:
    """Calls with ims, (N, 3, H, W), values 0 to 255, return features (N, 2048) and probabilities (N, 1008), float32.

    It holds a copy of the weights of `model`, an Inception on the CPU, as they are now.
    """

    def __init__(self, model):
        self._mode = model.mode
        self._packed = {}
        self._pack(model, LAYERS, ())
        bias = model.logit.b.array if model.mode.logits_have_bias else np.zeros(N_CLASSES, np.float32)
        self._logit = gathered_convolution.pack(model.logit.W.array[:, :, None, None], bias)
        self._memory = {}

    def __call__(self, ims):
        feats = memory.empty((len(ims), N_FEATURES))
        for start in range(0, len(ims), _CHUNK):
            x = self._resized(ims[start:start + _CHUNK])
            pooling.mean_of_pixels(self._run(LAYERS, (), x), feats[start:start + _CHUNK])
        logits = memory.empty((len(ims), 1, 1, N_CLASSES))
        gathered_convolution.convolve(self._logit, feats[:, None, None], logits, floor=-np.inf)
        logits = logits[:, 0, 0]
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        return feats, probs

    def _pack(self, chain, layers, path):
        for layer in layers:
            if isinstance(layer, Conv):
                self._packed[(*path, layer.name)] = gathered_convolution.pack(
                    *folded(chain[layer.name], chain[f'bn_{layer.name}']), layer.stride, layer.pad)
            elif isinstance(layer, Mixed):
                for name, branch in layer.branches:
                    self._pack(chain[layer.name][name], branch, (*path, layer.name, name))

    def _resized(self, ims):
        coordinates = {'resize_tf': resize.tf_coordinates,
                       'resize_align_corners': resize.align_corners_coordinates}[self._mode.resize]
        rows, columns = (coordinates(extent, SIZE) for extent in ims.shape[2:])
        x = self._array('input', (len(ims), SIZE, SIZE, 3))
        bilinear.resize(np.ascontiguousarray(ims, np.float32), *rows, *columns, -128., .0078125, x)
        return x

    def _run(self, layers, path, h, out=None, first_channel=0):
        """The output of a chain of layers; where `out` is given, in its channels from `first_channel` on.

        A chain keeps two arrays, which its layers read and write in turn; chains as deep in the table share them.
        """
        for i, layer in enumerate(layers):
            if out is not None and i == len(layers) - 1:
                y, start = out, first_channel
            else:
                y, start = self._array((len(path), i % 2), (len(h), *shape_after([layer], h.shape[1:]))), 0
            self._apply(layer, path, h, y, start)
            h = y
        return h

    def _apply(self, layer, path, h, y, start):
        if isinstance(layer, Conv):
            gathered_convolution.convolve(self._packed[(*path, layer.name)], h, y, start)
        elif isinstance(layer, Mixed):
            for name, branch in layer.branches:
                inside = (*path, layer.name, name)
                self._run(branch, inside, h, y, start)
                start += shape_after(branch, h.shape[1:])[2]
        elif layer.kind == 'max':
            pooling.max_3x3(h, layer.stride, layer.pad, y, start)
        else:
            pooling.average_3x3(h, self._mode.average_counts_padding, y, start)

    def _array(self, name, shape):
        n_floats = math.prod(shape)
        if name not in self._memory or self._memory[name].size < n_floats:
            self._memory[name] = memory.empty((n_floats,))
        return self._memory[name][:n_floats].reshape(shape)
