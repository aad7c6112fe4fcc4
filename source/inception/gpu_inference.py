"""The 2015 Inception network on a GPU: batch normalization folded into the weights, convolution, bias and ReLU in one.

`Inception` itself is the readable twin, which this one is tested against. Convolutions are TF32 unless
`chainer.config.precision` is 'float32'.
"""
from source.inception import resize
from source.inception.architecture import LAYERS, SIZE, Conv, Mixed, shape_after
from source.kernels.cuda import convolution, inference
from source.kernels.cuda.launching import empty
from source.kernels.cuda.linear import linear
from source.kernels.cuda.pooling import sum_pixels
from source.links.folding import folded

import numpy as np

MOST_SIZES = 256  # of images, whose coordinates are kept; 12 KB each


class GpuInference:
    """Calls with ims, CuPy (N, 3, H, W), values 0 to 255, return features (N, 2048) and probabilities (N, 1008).

    Both are float32. It holds a copy of the weights of `model`, an Inception on the same GPU, as they are now.
    """

    def __init__(self, model):
        self._mode, self._size = model.mode, SIZE
        self._convolutions, self._coordinates = {}, {}
        self._pack(model, LAYERS, ())
        self._logit = model.logit.W.array, model.logit.b.array if model.mode.logits_have_bias else None

    def __call__(self, ims):
        h = self._run(LAYERS, (), self._resized(ims))
        feats = sum_pixels(h, 1., 1 / (h.shape[1] * h.shape[2]))
        logits = linear(feats, *self._logit)
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        return feats, probs / probs.sum(axis=1, keepdims=True)

    def _pack(self, chain, layers, path):
        for layer in layers:
            if isinstance(layer, Conv):
                self._convolutions[(*path, layer.name)] = convolution.Inference(
                    *folded(chain[layer.name], chain[f'bn_{layer.name}']), layer.stride, layer.pad)
            elif isinstance(layer, Mixed):
                for name, branch in layer.branches:
                    self._pack(chain[layer.name][name], branch, (*path, layer.name, name))

    def _resized(self, ims):
        extents = ims.shape[2:]
        if extents not in self._coordinates:
            if len(self._coordinates) == MOST_SIZES:
                self._coordinates.clear()
            coordinates = {'resize_tf': resize.tf_coordinates,
                           'resize_align_corners': resize.align_corners_coordinates}[self._mode.resize]
            self._coordinates[extents] = [[_sent(a) for a in coordinates(extent, self._size)] for extent in extents]
        ims = ims.astype(np.float32)
        return inference.resize(ims, *self._coordinates[extents], -128., .0078125, convolution.filled(3, np.float32))

    def _run(self, layers, path, h):
        for layer in layers:
            if isinstance(layer, Conv):
                h = self._convolutions[(*path, layer.name)](h)
            else:
                y = empty((len(h), *shape_after([layer], h.shape[1:])), h.dtype)
                self._fill(layer, path, h, y, 0)
                h = y
        return h

    def _fill(self, layer, path, h, y, start):
        """The output of a Mixed or a Pool in the channels of y from `start` on."""
        if isinstance(layer, Mixed):
            for name, branch in layer.branches:
                channels = shape_after(branch, h.shape[1:])[2]
                inside = (*path, layer.name, name)
                if isinstance(branch[-1], Conv):
                    y[..., start:start + channels] = self._run(branch, inside, h)
                else:
                    self._fill(branch[-1], inside, self._run(branch[:-1], inside, h), y, start)
                start += channels
        elif layer.kind == 'max':
            inference.max_3x3(h, layer.stride, layer.pad, y, start)
        else:
            inference.average_3x3(h, self._mode.average_counts_padding, y, start)


def _sent(array):
    """A NumPy array on the current GPU."""
    import cupy
    return cupy.array(array.astype(np.int64) if array.dtype.kind == 'i' else array)
