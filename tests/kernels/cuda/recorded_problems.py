"""The convolutions of whole networks as cuDNN is asked for them, without computing any.

A narrow network runs once on the CPU and says which operations it has; then `source.kernels.cuda.convolution` runs on
arrays of the paper's widths that nobody reads or writes.
"""
import math

from dis_models import snresnet, snresnet_32
from gen_models import resnet, resnet_32
from source.functions import convolution_2d
from source.kernels.cuda import convolution, convolution_plans, launching

import chainer
import numpy as np
import pytest

OPERATIONS = {('convolution', 1): 'convolution_1x1', ('convolution', 3): 'convolution_3x3',
              ('convolution', 4): 'convolution_4x4_stride_2', ('deconvolution', 4): 'deconvolution_4x4_stride_2',
              ('upsample_convolution', 3): 'upsample_convolution_3x3',
              ('convolution_downsample', 3): 'convolution_3x3_downsample'}
NARROW = 4
# Two networks of the paper: the class, its width, and how many pixels its images have across.
NETWORKS = {
    'cifar10': ((resnet_32.ResNetGenerator, 256), (snresnet_32.SNResNetProjectionDiscriminator, 128), 32),
    'imagenet': ((resnet.ResNetGenerator, 64), (snresnet.SNResNetProjectionDiscriminator, 64), 128),
}


def operations(network, part):
    """[(name, (H, W, C) of x, shape of W, has a bias)] of part 'gen' or 'dis' of a network, at the paper's width."""
    (gen_class, gen_width), (dis_class, dis_width), size = NETWORKS[network]
    found = []

    def record(operation, x, W, b, stride, pad, activation):
        width = (gen_width if part == 'gen' else dis_width) // NARROW
        c, h, w = x.shape[1:]
        widened = [n if n == 3 else n * width for n in (c, *W.shape[:2])]
        found.append((OPERATIONS[operation, W.shape[2]], (h, w, widened[0]), (*widened[1:], *W.shape[2:]),
                      b is not None))
        return kernel_for(operation, x, W, b, stride, pad, activation)

    kernel_for = convolution_2d.kernel_for
    with pytest.MonkeyPatch.context() as patch, chainer.no_backprop_mode(), chainer.using_config('train', False):
        patch.setattr(convolution_2d, 'kernel_for', record)
        if part == 'gen':
            gen_class(ch=NARROW)(1)
        else:
            dis_class(ch=NARROW)(np.zeros((1, 3, size, size), np.float32))
    return found


def problems(network, part, batchsize, dtype, precision='tf32'):
    """{pass: [Problem]} of all the operations of a network's part."""
    recorded, found = [], {}
    with pytest.MonkeyPatch.context() as patch, chainer.using_config('precision', precision):
        patch.setattr(launching, 'empty', np.empty)
        patch.setattr(launching, 'launch', lambda *args, **kwargs: None)
        patch.setattr(launching, 'counters', lambda n: None)
        patch.setattr(convolution_plans, '_execute', lambda problem, arrays: recorded.append(problem))
        patch.setattr(convolution, 'why_missing', lambda: None)
        for name, (h, w, c), w_shape, has_bias in operations(network, part):
            x, W = np.empty((batchsize, h, w, c), dtype), np.empty(w_shape, np.float32)
            out_channels = W.shape[1 if name.startswith('deconvolution') else 0]
            y = getattr(convolution, name)(x, W, np.empty(out_channels, np.float32) if has_bias else None)
            getattr(convolution, f'{name}_data_gradient')(y, W, (h, w))
            getattr(convolution, f'{name}_weight_gradient')(x, y)
            for kind, problem in zip(('forward', 'data_gradient', 'weight_gradient'), recorded, strict=True):
                found.setdefault(kind, []).append(problem)
            recorded.clear()
    return found


def products(problem):
    """Multiply-adds of a Problem."""
    return math.prod(problem.result) * math.prod(problem.ksize) * problem.image[3]
