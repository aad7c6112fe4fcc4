"""Embeddings of labels, and what projection and concatenation do with them."""
from source.functions.pooling import pool_pixels
from source.kernels.switch import channels_first, channels_last, kernels

import chainer
import chainer.functions as F
from chainer import FunctionNode, backend


def embed(labels, W, ignore_label=None):
    """W[labels], Variable (B, C): labels, an array, int (B,), W (n_cat, C). `ignore_label` gives zeros."""
    kernel = _kernel('embedding.lookup', labels, ignore_label, W)
    if kernel is None:
        return F.embed_id(labels, W, ignore_label=ignore_label)
    return _Lookup(kernel, labels.astype('i', copy=False)).apply((W,))[0]


def project(h, labels, W, ignore_label=None):
    """⟨W[label], h⟩ of each sample, Variable (B, 1): h (B, C); the second term of Miyato & Koyama (2018), eq. 3."""
    kernel = _kernel('embedding.project', labels, ignore_label, h, W)
    if kernel is None:
        return F.sum(embed(labels, W, ignore_label) * h, axis=1, keepdims=True)
    return _Projection(kernel, labels.astype('i', copy=False)).apply((h, W))[0]


def concat_maps(h, embedded):
    """Maps h (B, C, H, W) and behind them embedded (B, D), the same at every pixel: Variable (B, C + D, H, W)."""
    if kernels('pooling.sum_pixels', h, embedded) is not None:
        return _ConcatMaps().apply((h, embedded))[0]
    per_pixel = F.reshape(embedded, (*embedded.shape, 1, 1))
    return F.concat([h, F.broadcast_to(per_pixel, (*embedded.shape, *h.shape[2:]))], axis=1)


def _kernel(what, labels, ignore_label, *arrays):
    if isinstance(labels, chainer.Variable) or labels.ndim != 1 or ignore_label is not None:
        return None
    return kernels(what, *arrays)


class _Lookup(FunctionNode):

    def __init__(self, kernel, labels):
        self.kernel, self.labels = kernel, labels

    def forward(self, inputs):
        W, = inputs
        self.n_cat = len(W)
        return self.kernel.lookup(W, self.labels),

    def backward(self, indexes, grad_outputs):
        return _LookupGradient(self.kernel, self.labels, self.n_cat).apply(grad_outputs)


class _LookupGradient(FunctionNode):

    def __init__(self, kernel, labels, n_cat):
        self.kernel, self.labels, self.n_cat = kernel, labels, n_cat

    def forward(self, inputs):
        gy, = inputs
        return self.kernel.lookup_gradient(gy if gy.flags.c_contiguous else gy.copy(), self.labels, self.n_cat),

    def backward(self, indexes, grad_outputs):
        return _Lookup(self.kernel, self.labels).apply(grad_outputs)


class _Projection(FunctionNode):

    def __init__(self, kernel, labels):
        self.kernel, self.labels = kernel, labels

    def forward(self, inputs):
        self.retain_inputs((0, 1))
        h, W = inputs
        return self.kernel.project(h, W, self.labels),

    def backward(self, indexes, grad_outputs):
        h, W = self.get_retained_inputs()
        gy, = grad_outputs
        if chainer.config.enable_backprop:
            y = F.sum(embed(self.labels, W) * h, axis=1, keepdims=True)
            return chainer.grad([y], [h, W], grad_outputs, enable_double_backprop=True)
        gradients = self.kernel.project_gradient(gy.array, h.array, W.array, self.labels)
        return [chainer.Variable(g, requires_grad=False) for g in gradients]


class _ConcatMaps(FunctionNode):
    """One copy to each side of a new array, where CuPy's concatenation would read a table of pointers."""

    def forward(self, inputs):
        h, embedded = inputs
        self.n_channels = h.shape[1]
        xp = backend.get_array_module(h)
        y = xp.empty((len(h), *h.shape[2:], h.shape[1] + embedded.shape[1]), h.dtype)
        y[..., :h.shape[1]] = channels_last(h)
        y[..., h.shape[1]:] = embedded[:, None, None]
        return channels_first(y),

    def backward(self, indexes, grad_outputs):
        g, = grad_outputs
        gradients = []
        if 0 in indexes:
            gradients.append(_Maps(0, self.n_channels).apply((g,))[0])
        if 1 in indexes:
            maps, = _Maps(self.n_channels, g.shape[1]).apply((g,))
            gradients.append(pool_pixels(F.sum, None, maps))
        return gradients


class _Maps(FunctionNode):
    """The maps from `start` to `stop` of (B, C, H, W), in memory of their own."""

    def __init__(self, start, stop):
        self.start, self.stop = start, stop

    def forward(self, inputs):
        x, = inputs
        self.shape = x.shape
        return channels_first(channels_last(x)[..., self.start:self.stop].copy()),

    def backward(self, indexes, grad_outputs):
        g, = grad_outputs
        xp = backend.get_array_module(g)
        before, behind = (xp.zeros((self.shape[0], n, *self.shape[2:]), g.dtype)
                          for n in (self.start, self.shape[1] - self.stop))
        return F.concat([part for part in (before, g, behind) if part.shape[1]], axis=1),
