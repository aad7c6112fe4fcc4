"""Convolutions in inference of channels-last float32 arrays: any kernel, stride and padding, with bias and ReLU.

An output pixel is a sum over taps of (an input pixel's channels) · (that tap's matrix). The input pixels' addresses are
listed in a table for the vector code, so that nothing is copied first, padding is the address of zeros, and a stride
costs nothing. The bits of an output pixel depend neither on the other images nor on the number of threads.
"""
from typing import NamedTuple

from source.kernels.cpu import memory
from source.kernels.cpu.gathered_product import GATHERED_PRODUCT, gathered_product
from source.kernels.cpu.lanes import WIDTH
from source.kernels.cpu.primitives import ROWS, take_number

import numba
import numpy as np
from numba import int64, types

_FLOAT = 4  # bytes
_BLOCK_BYTES = 1 << 18  # of input that a block of output pixels reads, to stay in the second cache; measured
_MOST_TILES = 64

_Images = types.Array(types.float32, 4, 'C')
_Vector = types.Array(types.float32, 1, 'C')
_Table = types.Array(types.int64, 2, 'C')
_Counter = types.Array(types.int64, 1, 'C')


class Packed(NamedTuple):
    """A convolution ready to run: the matrices of its taps in chunks of columns, wide ones first, as read."""
    weight: np.ndarray
    bias: np.ndarray
    out_channels: int
    ksize: tuple
    stride: int
    pad: tuple


def pack(w, bias, stride=1, pad=(0, 0)):
    """Pack w (O, C, kh, kw) and bias (O,), filled up with zeros to whole vectors."""
    n_outputs, n_channels, kh, kw = w.shape
    n_columns = -(-n_outputs // WIDTH) * WIDTH
    columns = np.zeros((kh * kw * n_channels, n_columns), np.float32)
    columns[:, :n_outputs] = w.transpose(2, 3, 1, 0).reshape(len(columns), n_outputs)
    n_wide = n_columns // (2 * WIDTH) * 2 * WIDTH
    chunks = [columns[:, start:start + 2 * WIDTH] for start in range(0, n_wide, 2 * WIDTH)]
    chunks += [columns[:, start:start + WIDTH] for start in range(n_wide, n_columns, WIDTH)]
    packed, whole_bias = memory.empty((columns.size,)), memory.empty((n_columns,))
    np.concatenate([chunk.ravel() for chunk in chunks], out=packed)
    whole_bias[:n_outputs], whole_bias[n_outputs:] = bias, 0
    return Packed(packed, whole_bias, n_outputs, (kh, kw), stride, pad)


def out_size(packed, height, width):
    """(H', W') of the output for an input of (H, W)."""
    return tuple((extent + 2 * pad - k) // packed.stride + 1
                 for extent, k, pad in zip((height, width), packed.ksize, packed.pad))


def convolve(packed, x, y, first_channel=0, floor=0.):
    """Write max(convolution of x (N, H, W, C) + bias, floor) into y (N, H', W', …), from `first_channel` on.

    The padding is before x; behind it are as many zeros as the height and width of y need.
    """
    n_threads = numba.get_num_threads()
    kh, kw = packed.ksize
    # Without padding a row of the kernel reads one stretch of memory.
    is_inside = packed.pad[1] == 0 and (y.shape[2] - 1) * packed.stride + kw <= x.shape[2]
    taps_across = 1 if is_inside else kw
    depth = x.shape[3] * (kw // taps_across)
    n_tiles = _BLOCK_BYTES // (_FLOAT * ROWS * x.shape[3] * packed.stride ** 2)
    n_tiles = max(1, min(n_tiles, _MOST_TILES, -(-y.shape[0] * y.shape[1] * y.shape[2] // (ROWS * n_threads))))
    zeros = memory.scratch('zeros', (depth,))
    zeros[:] = 0
    _convolve(GATHERED_PRODUCT, x, packed.weight, packed.bias, packed.out_channels, floor, kh, taps_across, depth,
              packed.stride, *packed.pad, y, first_channel, n_tiles, zeros,
              memory.scratch('gathered tables', (n_threads, n_tiles * kh * taps_across * ROWS), np.int64),
              memory.scratch('gathered edges', (n_threads * ROWS * 2 * WIDTH,)),
              memory.scratch('counters', (2,), np.int64))


@numba.njit(cache=True)
def _address(array):
    return np.int64(array.ctypes.data)


@numba.njit(cache=True)
def _list_pixels(table, x, zeros, first, n_here, y_height, y_width, kh, taps_across, stride, pad_y, pad_x):
    """Fill table (tiles, taps, ROWS) with the addresses that output pixels from `first` on read."""
    start, zero = _address(x), _address(zeros)
    height, width = x.shape[1], x.shape[2]
    n_taps = kh * taps_across
    for pixel in range(-(-n_here // ROWS) * ROWS):
        place = first + min(pixel, n_here - 1)  # a tile's missing rows repeat the last pixel
        image, place = divmod(place, y_height * y_width)
        top, left = place // y_width * stride - pad_y, place % y_width * stride - pad_x
        entry = pixel // ROWS * n_taps * ROWS + pixel % ROWS
        for i in range(kh):
            row = top + i
            for j in range(taps_across):
                column = left + j
                inside = 0 <= row < height and 0 <= column < width
                table[entry] = (start + image * x.strides[0] + row * x.strides[1] + column * x.strides[2]
                                if inside else zero)
                entry += ROWS


@numba.njit(cache=True)
def _convolve_block(function, first, n_here, n_taps, depth, weight, bias, n_outputs, floor, y, first_channel, table,
                    edge):
    pixel_bytes = y.strides[2]
    column, b = 0, _address(weight)
    while column < n_outputs:
        n_vectors = 2 if column + 2 * WIDTH <= len(bias) else 1
        n_columns = n_vectors * WIDTH
        bias_here = _address(bias) + column * _FLOAT
        c = _address(y) + first * pixel_bytes + (first_channel + column) * _FLOAT
        for t in range(0, n_here, ROWS):
            tile = _address(table) + t * n_taps * 8
            if t + ROWS <= n_here and column + n_columns <= n_outputs:
                gathered_product(function, n_vectors, tile, n_taps, depth, b, bias_here, floor, c + t * pixel_bytes,
                                 pixel_bytes)
            else:
                gathered_product(function, n_vectors, tile, n_taps, depth, b, bias_here, floor, _address(edge),
                                 n_columns * _FLOAT)
                _copy_part(edge, n_columns, min(ROWS, n_here - t), min(n_columns, n_outputs - column), y, first + t,
                           first_channel + column)
        b += n_taps * depth * n_columns * _FLOAT
        column += n_columns


@numba.njit(cache=True)
def _copy_part(edge, n_columns, height, width, y, first, channel):
    """The first rows and columns of a tile into the pixels from `first` on."""
    for i in range(height):
        image, place = divmod(first + i, y.shape[1] * y.shape[2])
        pixel = y[image, place // y.shape[2], place % y.shape[2]]
        for j in range(width):
            pixel[channel + j] = edge[i * n_columns + j]


@numba.njit(types.void(int64, _Images, _Vector, _Vector, int64, types.float32, *[int64] * 6, _Images, int64, int64,
                       _Vector, _Table, _Vector, _Counter), parallel=True, cache=True)
def _convolve(function, x, weight, bias, n_outputs, floor, kh, taps_across, depth, stride, pad_y, pad_x, y,
              first_channel, n_tiles, zeros, tables, edges, counter):
    """Threads take blocks of n_tiles · ROWS output pixels as they become free."""
    n_pixels = y.shape[0] * y.shape[1] * y.shape[2]
    block = n_tiles * ROWS
    n_workers = len(tables)
    edge_size = len(edges) // n_workers
    counter[0] = 0
    for worker in numba.prange(n_workers):
        edge = edges[worker * edge_size:(worker + 1) * edge_size]
        while True:
            first = take_number(_address(counter)) * block
            if first >= n_pixels:
                break
            n_here = min(block, n_pixels - first)
            _list_pixels(tables[worker], x, zeros, first, n_here, y.shape[1], y.shape[2], kh, taps_across, stride,
                         pad_y, pad_x)
            _convolve_block(function, first, n_here, kh * taps_across, depth, weight, bias, n_outputs, floor,
                            y, first_channel, tables[worker], edge)
