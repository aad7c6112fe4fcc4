"""The 2015 Inception network (Szegedy et al., Rethinking the Inception Architecture) as a table, in TensorFlow's names.

A network is a list of layers: Conv, Pool or Mixed, whose branches are lists of layers again and are concatenated along
the channels. Every convolution is followed by batch normalization and ReLU.
"""
from typing import NamedTuple


class Conv(NamedTuple):
    """A convolution without padding at its end; `ksize`, `stride` and `pad` as Chainer's, (height, width)."""
    name: str
    out_channels: int
    ksize: tuple = (1, 1)
    stride: int = 1
    pad: tuple = (0, 0)


class Pool(NamedTuple):
    """3×3 pooling; `kind` is 'average' or 'max'."""
    kind: str
    stride: int
    pad: int


class Mixed(NamedTuple):
    """Branches of equal height and width: ((name, (layer, …)), …)."""
    name: str
    branches: tuple


SIZE = 299
N_FEATURES, N_CLASSES = 2048, 1008
AVERAGE, MAX, REDUCE = Pool('average', 1, 1), Pool('max', 1, 1), Pool('max', 2, 0)


def _chain(*convs, first=0):
    """Convolutions conv, conv_1, … of (out_channels, height, width, stride), padded to keep the size at stride 1."""
    layers = []
    for i, (out_channels, height, width, stride) in enumerate(convs, first):
        pad = (height // 2, width // 2) if stride == 1 else (0, 0)
        layers.append(Conv(f'conv_{i}' if i else 'conv', out_channels, (height, width), stride, pad))
    return tuple(layers)


def _c(out_channels, height=1, width=None, stride=1):
    return out_channels, height, height if width is None else width, stride


def _block_35(name, pool_channels):
    return Mixed(name, (
        ('conv', _chain(_c(64))),
        ('tower', _chain(_c(48), _c(64, 5))),
        ('tower_1', _chain(_c(64), _c(96, 3), _c(96, 3))),
        ('tower_2', (AVERAGE, *_chain(_c(pool_channels))))))


def _block_17(name, c):
    return Mixed(name, (
        ('conv', _chain(_c(192))),
        ('tower', _chain(_c(c), _c(c, 1, 7), _c(192, 7, 1))),
        ('tower_1', _chain(_c(c), _c(c, 7, 1), _c(c, 1, 7), _c(c, 7, 1), _c(192, 1, 7))),
        ('tower_2', (AVERAGE, *_chain(_c(192))))))


def _block_8(name, pool):
    split = Mixed('mixed', (('conv', _chain(_c(384, 1, 3))), ('conv_1', _chain(_c(384, 3, 1), first=1))))
    return Mixed(name, (
        ('conv', _chain(_c(320))),
        ('tower', (*_chain(_c(384)), split)),
        ('tower_1', (*_chain(_c(448), _c(384, 3)), split)),
        ('tower_2', (pool, *_chain(_c(192))))))


LAYERS = (
    Conv('conv', 32, (3, 3), 2),
    Conv('conv_1', 32, (3, 3)),
    Conv('conv_2', 64, (3, 3), 1, (1, 1)),
    REDUCE,
    Conv('conv_3', 80),
    Conv('conv_4', 192, (3, 3)),
    REDUCE,
    _block_35('mixed', 32), _block_35('mixed_1', 64), _block_35('mixed_2', 64),
    Mixed('mixed_3', (
        ('conv', _chain(_c(384, 3, stride=2))),
        ('tower', _chain(_c(64), _c(96, 3), _c(96, 3, stride=2))),
        ('pool', (REDUCE,)))),
    _block_17('mixed_4', 128), _block_17('mixed_5', 160), _block_17('mixed_6', 160), _block_17('mixed_7', 192),
    Mixed('mixed_8', (
        ('tower', _chain(_c(192), _c(320, 3, stride=2))),
        ('tower_1', _chain(_c(192), _c(192, 1, 7), _c(192, 7, 1), _c(192, 3, stride=2))),
        ('pool', (REDUCE,)))),
    _block_8('mixed_9', AVERAGE), _block_8('mixed_10', MAX),
)


def shape_after(layers, shape):
    """The (height, width, channels) that come out of a list of layers for the one that goes in."""
    for layer in layers:
        height, width, channels = shape
        if isinstance(layer, Mixed):
            shapes = [shape_after(branch, shape) for _, branch in layer.branches]
            shape = *shapes[0][:2], sum(branch_channels for _, _, branch_channels in shapes)
        elif isinstance(layer, Conv):
            (kh, kw), (pad_y, pad_x) = layer.ksize, layer.pad
            shape = ((height + 2 * pad_y - kh) // layer.stride + 1, (width + 2 * pad_x - kw) // layer.stride + 1,
                     layer.out_channels)
        else:
            shape = *((extent + 2 * layer.pad - 3) // layer.stride + 1 for extent in (height, width)), channels
    return shape
