"""Nearest-neighbour upsampling and average pooling, both by two."""
import chainer.functions as F


def upsample(x):
    """Variable (B, C, H, W) → (B, C, 2H, 2W), each pixel repeated 2×2."""
    h, w = x.shape[2:]
    return F.unpooling_2d(x, 2, outsize=(2 * h, 2 * w))


def downsample(x):
    """Variable (B, C, H, W) → (B, C, H // 2, W // 2), the mean of each 2×2; an odd last row or column is left out."""
    return F.average_pooling_2d(x, 2)
