"""The networks' convolutions on a GPU; `source.kernels.reference.convolution` says what each of them does.

They are cuDNN's (`convolution_plans`), transposed ones and those joined with resampling included, or without its
frontend matrix products (`matrix_convolution`), which is said once. Weights are packed, folded and rounded at each
call, unless they come from `prepared`, which does that for many at once. An activation is a pass of its own: whoever
can should keep the activated array instead, whose sign gates the gradient as well.

Precision: bfloat16 arrays are multiplied as such and summed in float32. float32 arrays are multiplied in TF32, of 10
bits, unless `chainer.config.precision` is 'float32'.
"""
import functools
import sys
from typing import NamedTuple

from source.kernels.cuda import convolution_plans, few_channels, folding, launching, matrix_convolution
from source.kernels.cuda.cudnn_library import why_missing
from source.kernels.cuda.elementwise import activate
from source.kernels.cuda.elementwise import gate as gated
from source.kernels.cuda.launching import contiguous, empty

import chainer
import numpy as np

ALIGNMENT = 16  # bytes: where arrays begin, and what channels fill, for tensor cores to read them


class Form(NamedTuple):
    """A convolution as cuDNN is to see it: `taps` and `swap` as in `folding`; ksize is that of the folded weight."""
    ksize: int
    stride: int
    pad: int
    is_transposed: bool = False
    taps: str = None
    swap: bool = False


POINTWISE, SAME, STRIDED, TRANSPOSED = Form(1, 1, 0), Form(3, 1, 1), Form(4, 2, 1), Form(4, 2, 1, True)
DOWN, UP = Form(4, 2, 1, taps='pooled'), Form(4, 2, 1, True, 'upsampled', swap=True)


def capturable():
    """Whether these convolutions can be captured into a CUDA graph, once they have run."""
    return why_missing() is None


def convolution_1x1(x, w, bias=None, slope=1, relu=False):
    return _forward(POINTWISE, x, w, bias, slope, relu)


def convolution_1x1_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(POINTWISE, gy, w, in_shape, gate, slope)


def convolution_1x1_weight_gradient(x, gy, slope=1):
    return _weight_gradient(POINTWISE, x, gy, slope, 1)


def convolution_3x3(x, w, bias=None, slope=1, relu=False):
    return _forward(SAME, x, w, bias, slope, relu)


def convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(SAME, gy, w, in_shape, gate, slope)


def convolution_3x3_weight_gradient(x, gy, slope=1):
    return _weight_gradient(SAME, x, gy, slope, 3)


def convolution_4x4_stride_2(x, w, bias=None, slope=1, relu=False):
    return _forward(STRIDED, x, w, bias, slope, relu)


def convolution_4x4_stride_2_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(STRIDED, gy, w, in_shape, gate, slope)


def convolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    return _weight_gradient(STRIDED, x, gy, slope, 4)


def deconvolution_4x4_stride_2(x, w, bias=None, slope=1, relu=False):
    return _forward(TRANSPOSED, x, w, bias, slope, relu)


def deconvolution_4x4_stride_2_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(TRANSPOSED, gy, w, in_shape, gate, slope)


def deconvolution_4x4_stride_2_weight_gradient(x, gy, slope=1):
    return _weight_gradient(TRANSPOSED, x, gy, slope, 4)


def convolution_3x3_downsample(x, w, bias=None, slope=1, relu=False):
    return _forward(DOWN, x, w, bias, slope, relu)


def convolution_3x3_downsample_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(DOWN, gy, w, in_shape, gate, slope)


def convolution_3x3_downsample_weight_gradient(x, gy, slope=1):
    return _weight_gradient(DOWN, x, gy, slope, 3)


def upsample_convolution_3x3(x, w, bias=None, slope=1, relu=False):
    return _forward(UP, x, w, bias, slope, relu)


def upsample_convolution_3x3_data_gradient(gy, w, in_shape=None, gate=None, slope=1):
    return _data_gradient(UP, gy, w, in_shape, gate, slope)


def upsample_convolution_3x3_weight_gradient(x, gy, slope=1):
    return _weight_gradient(UP, x, gy, slope, 3)


FORMS = {'convolution_1x1': POINTWISE, 'convolution_3x3': SAME, 'convolution_4x4_stride_2': STRIDED,
         'deconvolution_4x4_stride_2': TRANSPOSED, 'convolution_3x3_downsample': DOWN, 'upsample_convolution_3x3': UP}


class Packed(NamedTuple):
    """A weight that `prepared` has made for one operation and one type of activations."""
    filters: object  # array, with channels filled up
    n_in: int  # channels without filling
    n_out: int


def prepared(requests, dtype):
    return _prepared([(FORMS[operation], w, bias) for operation, w, bias in requests], dtype)


def _prepared(requests, dtype):
    """`prepared`, for a Form in place of each operation's name."""
    shapes, biases, pieces = [], [], []
    for form, w, bias in requests:
        n_out, n_in = w.shape[:2] if form.swap or not form.is_transposed else w.shape[1::-1]
        channels = filled(n_out, dtype), filled(n_in, dtype)
        w = w if w.flags.c_contiguous else w.copy()  # a spectrally normalized deconvolution's is a transposed view
        pieces.append((w, form.taps, form.swap, channels[::-1] if form.is_transposed else channels))
        shapes.append((n_in, n_out))
        biases.append(bias)
    unpacked = [i for i, bias in enumerate(biases) if not _serves(bias, dtype)]
    pieces += [(folding.as_weight(biases[i]), None, False, (1, filled(biases[i].size, dtype))) for i in unpacked]
    arrays = folding.pack_weights(*zip(*pieces), dtype)
    for i, bias in zip(unpacked, arrays[len(requests):], strict=True):
        biases[i] = bias.reshape(-1)
    return [(Packed(filters, *shape), bias) for filters, shape, bias in zip(arrays, shapes, biases)]


def _serves(bias, dtype):
    return bias is None or (
        bias.dtype == dtype and bias.size == filled(bias.size, dtype) and launching.address(bias) % ALIGNMENT == 0)


def _forward(form, x, w, bias, slope, relu):
    x = _ready(x if slope == 1 else activate(x, slope))
    if not isinstance(w, Packed):
        (w, bias), = _prepared([(form, w, bias)], x.dtype)
    if form.is_transposed:
        y = _run('dgrad', x, w.filters, (len(x), *_doubled(x), w.filters.shape[3]), **_sizes(form))
        if bias is not None:
            folding.add_bias(y, bias)
    else:
        joined = relu and bias is not None  # cuDNN has ready-made plans for this alone
        y = _convolved(form, x, w.filters, bias, joined)
        relu = relu and not joined
    y = activate(y, 0.) if relu else y
    return _with_channels(y, w.n_out)


def _data_gradient(form, gy, w, in_shape, gate, slope):
    gy = _ready(gy)
    if not isinstance(w, Packed):
        (w, _), = _prepared([(form, w, None)], gy.dtype)
    if form.is_transposed:
        gx = _run('fprop', gy, w.filters, **_sizes(form))
    else:
        in_shape = tuple(in_shape or (gy.shape[1:3] if form.stride == 1 else _doubled(gy)))
        gx = _run('dgrad', gy, w.filters, (len(gy), *in_shape, w.filters.shape[3]), **_sizes(form))
    gx = _with_channels(gx, w.n_in)
    return gx if gate is None else gated(gx, gate, slope)


def _weight_gradient(form, x, gy, slope, k):
    n_in, n_out = x.shape[3], gy.shape[3]
    x, result = _ready(x if slope == 1 else activate(x, slope)), _ready(gy)
    image, result = (result, x) if form.is_transposed else (x, result)
    gw = _correlated(form, image, result)
    shape = (n_in, n_out, k, k) if form.is_transposed and not form.swap else (n_out, n_in, k, k)
    return folding.unpack_gradients(gw, form.taps, form.swap, shape, gy)


def _convolved(form, x, filters, bias, relu):
    k, c = len(filters), filters.shape[3]
    if form is SAME and few_channels.serve(x):
        return _run('fprop', few_channels.windows(x), filters.reshape(k, 1, 1, 9 * c), bias, relu, **_sizes(POINTWISE))
    # Not in bfloat16, where each of the nine shares would be rounded.
    if form is SAME and k * x.dtype.itemsize == ALIGNMENT and x.dtype == np.float32 and not relu:
        return few_channels.sum_windows(_run('fprop', x, few_channels.by_tap(filters), **_sizes(POINTWISE)), bias)
    return _run('fprop', x, filters, bias, relu, **_sizes(form))


def _correlated(form, image, result):
    if form is SAME and few_channels.serve(image):
        gw = _run('wgrad', few_channels.windows(image), result, (1, 1), **_sizes(POINTWISE))
        return gw.reshape(len(gw), 3, 3, image.shape[3])
    if form is SAME and few_channels.serve(result):
        return few_channels.from_tap(_run('wgrad', image, few_channels.windows(result), (1, 1), **_sizes(POINTWISE)))
    return _run('wgrad', image, result, (form.ksize, form.ksize), **_sizes(form))


def _ready(x):
    """x with channels filled up and where tensor cores can read it."""
    contiguous(x)
    x = _with_channels(x, filled(x.shape[3], x.dtype))
    return launching.aligned(x)


def _with_channels(x, channels):
    return x if x.shape[3] == channels else folding.with_channels(x, channels)


def filled(channels, dtype):
    """Channels that fill whole reads of tensor cores; without those as many as there are."""
    dtype = np.dtype(dtype)
    if dtype == np.float32 and not _tf32():
        return channels
    multiple = ALIGNMENT // dtype.itemsize
    return -(-channels // multiple) * multiple


def _doubled(x):
    return 2 * x.shape[1], 2 * x.shape[2]


def _sizes(form):
    return {'stride': form.stride, 'pad': (form.pad, form.pad), 'tf32': _tf32()}


def _tf32():
    return getattr(chainer.config, 'precision', 'tf32') != 'float32'


class Inference:
    """ReLU of a convolution with weight (O, C, kh, kw) and bias (O,), float32, which are packed once.

    Called with x (N, H, W, C) float32, whose channels may be filled up already, it returns (N, H', W', O). The
    precision is that in force when this is made.
    """

    def __init__(self, w, bias, stride, pad):
        self._sizes = {'stride': stride, 'pad': tuple(pad), 'tf32': _tf32()}
        n_out, n_in, kh, kw = w.shape
        self._filters = empty((filled(n_out, np.float32), kh, kw, filled(n_in, np.float32)))
        self._filters[...] = 0
        self._filters[:n_out, :, :, :n_in] = w.transpose(0, 2, 3, 1)
        self._bias = folding.pack_bias(bias, np.float32, len(self._filters))
        self._out_channels = len(w)

    def __call__(self, x):
        x = _ready(_with_channels(x, self._filters.shape[3]))
        return _with_channels(_run('fprop', x, self._filters, self._bias, True, **self._sizes), self._out_channels)


def _run(kind, *arrays, **sizes):
    """One of `fprop`, `dgrad` and `wgrad`."""
    if capturable():
        try:
            return getattr(convolution_plans, kind)(*arrays, **sizes)
        except convolution_plans.NoPlan as reason:
            _say(f'{reason}; it runs as a matrix product of CuPy, which is slow and cannot be captured into a CUDA '
                 'graph')
    else:
        _say(f'{why_missing()}: convolutions run as matrix products of CuPy, which is slow and cannot be captured into '
             "a CUDA graph; `pip install nvidia-cudnn-frontend` and cuDNN's wheel bring the fast ones")
    return getattr(matrix_convolution, kind)(*arrays, **sizes)


@functools.cache
def _say(line):
    print(line, file=sys.stderr)
