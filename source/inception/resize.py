"""Bilinear enlargement (or reduction, without smoothing) as TensorFlow 1 and as Chainer define it."""
import numpy as np
from chainer.backends import cuda


def resize_tf(ims, size):
    """tf.image.resize_bilinear of TensorFlow 1: output i is at i·(in/out), in float32, not past the last pixel.

    ims (B, C, H, W), any real type → float32 (B, C, size, size) in the same range; NumPy or CuPy.
    """
    return _interpolate(ims, *(tf_coordinates(extent, size) for extent in ims.shape[2:]))


def resize_align_corners(ims, size):
    """chainer.functions.resize_images: the corner pixels of input and output are at the same places. As `resize_tf`."""
    return _interpolate(ims, *(align_corners_coordinates(extent, size) for extent in ims.shape[2:]))


def tf_coordinates(extent, size):
    """(lower pixel, upper pixel, share of the upper one), each (size,)."""
    return _split(np.arange(size, dtype=np.float32) * np.float32(extent / size), extent)


def align_corners_coordinates(extent, size):
    """As `tf_coordinates`."""
    return _split(np.linspace(0, extent - 1, size), extent)


def _split(position, extent):
    lower = np.minimum(position.astype(np.intp), extent - 1)
    return lower, np.minimum(lower + 1, extent - 1), (position - lower).astype(np.float32)


def _interpolate(ims, rows, columns):
    xp = cuda.get_array_module(ims)
    (top, bottom, down), (left, right, across) = ([xp.asarray(a) for a in axis] for axis in (rows, columns))
    x = ims.astype(np.float32)
    first, second = x[:, :, :, left], x[:, :, :, right]
    x = first + (second - first) * across
    first, second = x[:, :, top], x[:, :, bottom]
    return first + (second - first) * down[:, None]
