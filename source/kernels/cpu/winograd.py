"""Winograd convolution of channels-last arrays: transform tiles, multiply, transform back, block by block.

A block's transformed tiles never leave the cache, so a pass reads its input once and writes its output once.
Every function here takes arrays that the caller allocated, and addresses in tables; `convolution.py` is the way in.
"""
from collections import namedtuple

from source.kernels.cpu.lanes import WIDTH
from source.kernels.cpu.primitives import (
    FROM_PRODUCTS,
    FROM_PRODUCTS_GATED,
    GRADIENT_TO_PRODUCTS,
    PRODUCTS_TO_TAPS,
    ROWS,
    TAPS_TO_PRODUCTS,
    TO_PRODUCTS,
    multiply,
    take_number,
    transform,
)

import numba
import numpy as np
from numba import int64, types

_FLOAT = 4  # bytes
_CHANNELS_AT_ONCE = 8  # of a weight, so that what is read or written of one output spans some cache lines

#: what the loops need to know of a schemes.Scheme: `patch` pixels a side in, `step_out` out, `side` products a phase
Geometry = namedtuple('Geometry', 'scheme patch step_in side n_phases step_out')
_Geometry = types.NamedUniTuple(int64, 6, Geometry)

_Vector, _Cube, _Images = (types.Array(types.float32, n, 'C') for n in (1, 3, 4))
_Taps = _Weight = types.Array(types.float32, 4, 'A')
_Tables = types.Array(types.int64, 3, 'C')
_Sums = types.Array(types.float64, 1, 'C')
_Counter = types.Array(types.int64, 1, 'C')


def _parallel(*argument_types):
    return numba.njit(types.void(*argument_types), parallel=True, cache=True)

@numba.njit(cache=True)
def _address(array):
    return np.int64(array.ctypes.data)


@numba.njit(cache=True)
def _list_products(table, start, side, n_phases, product_bytes, phase_bytes):
    """Addresses of the products of one tile, in the order the transforms write and read them."""
    n = side * n_phases
    for i in range(n):
        for j in range(n):
            product = (i % side) * side + j % side
            phase = (i // side) * n_phases + j // side
            table[i * n + j] = start + product * product_bytes + phase * phase_bytes


@numba.njit(cache=True)
def _list_pixels(table, x, image, top, left, side, outside):
    """Addresses of the side x side pixels from (top, left); `outside` stands for those beyond the border."""
    start = _address(x) + image * x.strides[0]
    height, width = x.shape[1], x.shape[2]
    for i in range(side):
        row = top + i
        for j in range(side):
            column = left + j
            inside = 0 <= row < height and 0 <= column < width
            table[i * side + j] = start + row * x.strides[1] + column * x.strides[2] if inside else outside


@numba.njit(cache=True)
def _gather_last_channels(patch, x, image, top, left, side, channel):
    """Copy what is left of each pixel after `channel` into whole vectors, zeros behind it and beyond the border."""
    height, width, n_channels = x.shape[1], x.shape[2], x.shape[3]
    for i in range(side):
        for j in range(side):
            row, column = top + i, left + j
            inside = 0 <= row < height and 0 <= column < width
            for lane in range(WIDTH):
                known = inside and channel + lane < n_channels
                patch[i * side + j, lane] = x[image, row, column, channel + lane] if known else np.float32(0)


@numba.njit(cache=True)
def _scatter(patch, y, gate, gated, slope, image, top, left, side, channel):
    """Copy the part of a finished tile that lies inside y."""
    height, width = min(side, y.shape[1] - top), min(side, y.shape[2] - left)
    n_lanes = min(WIDTH, y.shape[3] - channel)
    for i in range(height):
        for j in range(width):
            for lane in range(n_lanes):
                value = patch[i * side + j, lane]
                if gated and not gate[image, top + i, left + j, channel + lane] > 0:
                    value *= slope
                y[image, top + i, left + j, channel + lane] = value


@numba.njit(cache=True)
def _transform_tile(function, kind, x, image, top, left, side, slope, table, zeros, patch, patch_table,
                    products, shift):
    _list_pixels(table, x, image, top, left, side, _address(zeros))
    n_channels = x.shape[3]
    for channel in range(0, n_channels, WIDTH):
        sources, source_shift = _address(table), channel * _FLOAT
        if channel + WIDTH > n_channels:
            _gather_last_channels(patch, x, image, top, left, side, channel)
            sources, source_shift = _address(patch_table), 0
        transform(function, kind, sources, source_shift, products, shift + channel * _FLOAT, slope, 0, 0)


@numba.njit(cache=True)
def _list_patch(patch_table, patch):
    for i in range(len(patch)):
        patch_table[i] = _address(patch) + i * patch.strides[0]


@numba.njit(cache=True)
def _place(tile, rows, columns):
    """Image, row and column of a tile, the latter two counted in tiles."""
    image, place = divmod(tile, rows * columns)
    return image, place // columns, place % columns


@numba.njit(cache=True)
def _multiply_block(multiplier, v, weight, first_chunk, n_chunks, m, n_tiles):
    """m (products, tiles, columns) = v (products, tiles, depth) @ the chosen chunks of weight."""
    n_products, _, depth, chunk_columns = weight.shape
    for p in range(n_products):
        for chunk in range(n_chunks):
            b = _address(weight) + p * weight.strides[0] + (first_chunk + chunk) * weight.strides[1]
            a = _address(v) + p * v.strides[0]
            c = _address(m) + p * m.strides[0] + chunk * chunk_columns * _FLOAT
            for t in range(0, n_tiles, ROWS):
                multiply(multiplier, chunk_columns // WIDTH, a + t * v.strides[1], v.strides[1], _FLOAT,
                         b, weight.strides[2], c + t * m.strides[1], m.strides[1], depth, 0)


@numba.njit(cache=True)
def _finish_tile(transformer, g, products, product_shift, first_column, last_column, bias, gate, gate_slope, gated, y,
                 image, top, left, table, zeros, patch, patch_table):
    """Transform the products of some columns of a tile into y."""
    whole = top + g.step_out <= y.shape[1] and left + g.step_out <= y.shape[2]
    _list_pixels(table, y, image, top, left, g.step_out, _address(zeros))
    for channel in range(first_column, last_column, WIDTH):
        shift = product_shift + (channel - first_column) * _FLOAT
        bias_here = _address(bias) + channel * _FLOAT
        if not whole or channel + WIDTH > y.shape[3]:
            transform(transformer, FROM_PRODUCTS + g.scheme, products, shift, _address(patch_table), 0,
                      gate_slope, bias_here, 0)
            _scatter(patch, y, gate, gated, gate_slope, image, top, left, g.step_out, channel)
        else:
            kind = FROM_PRODUCTS_GATED if gated else FROM_PRODUCTS
            transform(transformer, kind + g.scheme, products, shift, _address(table), channel * _FLOAT,
                      gate_slope, bias_here, _address(gate) - _address(y))


@numba.njit(cache=True)
def _convolve_block(transformer, multiplier, g, first, n_here, x, slope, weight, bias, gate, gate_slope, gated, y,
                    v, m, tables, patch, zeros):
    table, products, patch_table = tables[0], tables[1], tables[2]
    rows, columns = -(-y.shape[1] // g.step_out), -(-y.shape[2] // g.step_out)
    _, n_chunks, depth, chunk_columns = weight.shape
    _list_patch(patch_table, patch)
    _list_products(products, _address(v), g.side, g.n_phases, v.strides[0], depth // g.n_phases ** 2 * _FLOAT)
    for t in range(n_here):
        image, i, j = _place(first + t, rows, columns)
        _transform_tile(transformer, TO_PRODUCTS + g.scheme, x, image, i * g.step_in - 1, j * g.step_in - 1, g.patch,
                        slope, table, zeros, patch, patch_table, _address(products), t * v.strides[1])
    _list_products(products, _address(m), g.side, 1, m.strides[0], 0)
    block_chunks = m.shape[2] // chunk_columns
    for first_chunk in range(0, n_chunks, block_chunks):
        n_chunks_here = min(block_chunks, n_chunks - first_chunk)
        _multiply_block(multiplier, v, weight, first_chunk, n_chunks_here, m, n_here)
        start = first_chunk * chunk_columns
        stop = min(y.shape[3], start + n_chunks_here * chunk_columns)
        for t in range(n_here):
            image, i, j = _place(first + t, rows, columns)
            _finish_tile(transformer, g, _address(products), t * m.strides[1], start, stop, bias,
                         gate, gate_slope, gated, y, image, i * g.step_out, j * g.step_out,
                         table, zeros, patch, patch_table)


@_parallel(int64, int64, _Geometry, _Images, types.float32, _Weight, _Vector, _Images, types.float32, types.boolean,
           _Images, _Images, _Images, _Tables, _Cube, _Vector, _Counter)
def convolve(transformer, multiplier, g, x, slope, weight, bias, gate, gate_slope, gated, y,
             V, M, tables, patches, zeros, counter):
    """y = convolution of max(x, slope x) + bias, times gate_slope where gated and gate is not positive.

    weight (products, column chunks, depth, chunk columns) comes from transform_weight;
    V (threads, products, tiles, depth row) and M (threads, products, tiles, columns) are scratch.
    Threads take blocks as they become free: which thread makes a block does not matter to its values.
    """
    n_tiles = y.shape[0] * -(-y.shape[1] // g.step_out) * -(-y.shape[2] // g.step_out)
    block_tiles = V.shape[2]
    counter[0] = 0
    for worker in numba.prange(len(V)):
        while True:
            first = take_number(_address(counter)) * block_tiles
            if first >= n_tiles:
                break
            _convolve_block(transformer, multiplier, g, first, min(block_tiles, n_tiles - first), x, slope, weight,
                            bias, gate, gate_slope, gated, y,
                            V[worker], M[worker], tables[worker], patches[worker], zeros)


@numba.njit(cache=True)
def _spread_taps(w, first, last, planes):
    """planes (C, k k, columns) of some channels from w, whose taps and neighbouring channels share cache lines."""
    n_outputs, n_channels, n_taps = w.shape[0], w.shape[1], w.shape[2]
    for o in range(planes.shape[2]):
        for c in range(first, last):
            for i in range(n_taps):
                for j in range(n_taps):
                    known = c < n_channels and o < n_outputs
                    planes[c, i * n_taps + j, o] = w[o, c, i, j] if known else np.float32(0)


@numba.njit(cache=True)
def _list_taps(table, planes, c, n_taps):
    for tap in range(n_taps ** 2):
        table[tap] = _address(planes) + c * planes.strides[0] + tap * planes.strides[1]


@numba.njit(cache=True)
def _transform_channel(transformer, g, c, n_taps, planes, weight, sources, targets):
    _, n_chunks, depth, chunk_columns = weight.shape
    _list_taps(sources, planes, c, n_taps)
    _list_products(targets, _address(weight), g.side, g.n_phases, weight.strides[0],
                   depth // g.n_phases ** 2 * weight.strides[2])
    for column in range(0, n_chunks * chunk_columns, WIDTH):
        chunk, lane = divmod(column, chunk_columns)
        transform(transformer, TAPS_TO_PRODUCTS + g.scheme, _address(sources), column * _FLOAT, _address(targets),
                  chunk * weight.strides[1] + c * weight.strides[2] + lane * _FLOAT, np.float32(1), 0, 0)


@_parallel(int64, _Geometry, _Taps, _Cube, _Weight, _Tables)
def transform_weight(transformer, g, w, planes, weight, tables):
    """Fill `weight` from w (O, C, k, k) of any strides; planes (C or more, k k, columns or more) is scratch."""
    n_workers, depth = len(tables), len(planes)
    for worker in numba.prange(n_workers):
        stop = (worker + 1) * depth // n_workers
        for first in range(worker * depth // n_workers, stop, _CHANNELS_AT_ONCE):
            last = min(stop, first + _CHANNELS_AT_ONCE)
            _spread_taps(w, first, last, planes)
            for c in range(first, last):
                _transform_channel(transformer, g, np.int64(c), w.shape[2], planes, weight,
                                   tables[worker, 0], tables[worker, 1])


@numba.njit(cache=True)
def _transform_both(transformer, g, tile, t, x, x_slope, gy, gy_slope, phase_depth, V, D, tables, patch, zeros):
    table, products, patch_table = tables[0], tables[1], tables[2]
    image, i, j = _place(tile, -(-gy.shape[1] // g.step_out), -(-gy.shape[2] // g.step_out))
    _list_patch(patch_table, patch)
    _list_products(products, _address(V), g.side, g.n_phases, V.strides[0], phase_depth * _FLOAT)
    _transform_tile(transformer, TO_PRODUCTS + g.scheme, x, image, i * g.step_in - 1, j * g.step_in - 1, g.patch,
                    x_slope, table, zeros, patch, patch_table, _address(products), t * V.strides[1])
    _list_products(products, _address(D), g.side, 1, D.strides[0], 0)
    _transform_tile(transformer, GRADIENT_TO_PRODUCTS + g.scheme, gy, image, i * g.step_out, j * g.step_out, g.step_out,
                    gy_slope, table, zeros, patch, patch_table, _address(products), t * D.strides[1])


@numba.njit(cache=True)
def _multiply_gradient(multiplier, p, column, n_vectors, V, D, n_tiles, sums, accumulate):
    """Add (or, first, set) V.T @ D for one product and one chunk of columns."""
    a, b = _address(V) + p * V.strides[0], _address(D) + p * D.strides[0] + column * _FLOAT
    c = _address(sums) + p * sums.strides[0] + column * _FLOAT
    for row in range(0, sums.shape[1], ROWS):
        multiply(multiplier, n_vectors, a + row * _FLOAT, _FLOAT, V.strides[1], b, D.strides[1],
                 c + row * sums.strides[1], sums.strides[1], n_tiles, accumulate)


@numba.njit(cache=True)
def _add_rows(rows, n_rows, start, n_columns, total):
    for row in range(n_rows):
        for c in range(start, min(start + n_columns, len(total))):
            total[c] += rows[row, c]


@_parallel(int64, int64, _Geometry, _Images, types.float32, _Images, types.float32, _Sums, int64, _Cube, _Cube, _Cube,
           _Tables, _Cube, _Vector, _Counter)
def weight_gradient(transformer, multiplier, g, x, x_slope, gy, gy_slope, bias_gradient, phase_depth, V, D, sums,
                    tables, patches, zeros, counter):
    """sums (products, depth, columns) = over all tiles, transformed x by transformed gy; bias_gradient += sum of gy.

    V (products, tiles, depth row) and D (products, tiles, columns) are scratch. Work is divided by product, not by
    tile, so that the order of every addition, and hence every bit, is the same for any number of threads.
    """
    n_products, _, n_columns = sums.shape
    n_tiles = gy.shape[0] * -(-gy.shape[1] // g.step_out) * -(-gy.shape[2] // g.step_out)
    block_tiles = V.shape[1]
    n_vectors = min(2, n_columns // WIDTH)
    n_chunks = n_columns // (n_vectors * WIDTH)
    product_of_sums = g.side + 1  # both points are 1, where the transform adds all pixels of the tile
    for first in range(0, n_tiles, block_tiles):
        n_here = min(block_tiles, n_tiles - first)
        counter[:] = 0
        for worker in numba.prange(len(tables)):
            while True:
                t = take_number(_address(counter))
                if t >= n_here:
                    break
                _transform_both(transformer, g, first + t, t, x, x_slope, gy, gy_slope, phase_depth, V, D,
                                tables[worker], patches[worker], zeros)
        for _ in numba.prange(len(tables)):
            while True:
                job = take_number(_address(counter) + counter.strides[0])
                if job >= n_products * n_chunks:
                    break
                p, column = job // n_chunks, job % n_chunks * n_vectors * WIDTH
                _multiply_gradient(multiplier, p, column, n_vectors, V, D, n_here, sums, int(first > 0))
                if p == product_of_sums:
                    _add_rows(D[p], n_here, column, n_vectors * WIDTH, bias_gradient)


@numba.njit(cache=True)
def _gather_channel(transformer, g, sums, c, phase_depth, n_taps, planes, sources, targets):
    _list_products(sources, _address(sums), g.side, g.n_phases, sums.strides[0], phase_depth * sums.strides[1])
    _list_taps(targets, planes, c, n_taps)
    for column in range(0, sums.shape[2], WIDTH):
        transform(transformer, PRODUCTS_TO_TAPS + g.scheme, _address(sources), c * sums.strides[1] + column * _FLOAT,
                  _address(targets), column * _FLOAT, np.float32(1), 0, 0)


@numba.njit(cache=True)
def _join_taps(planes, first, last, gw):
    """The converse of _spread_taps."""
    n_taps = gw.shape[2]
    for o in range(gw.shape[0]):
        for c in range(first, last):
            for i in range(n_taps):
                for j in range(n_taps):
                    gw[o, c, i, j] = planes[c, i * n_taps + j, o]


@_parallel(int64, _Geometry, _Cube, int64, _Cube, _Taps, _Tables)
def gather_weight_gradient(transformer, g, sums, phase_depth, planes, gw, tables):
    """gw (O, C, k, k), of any strides, from the sums over products; planes (C, k k, columns or more) is scratch."""
    n_workers, n_channels = len(tables), gw.shape[1]
    for worker in numba.prange(n_workers):
        stop = (worker + 1) * n_channels // n_workers
        for first in range(worker * n_channels // n_workers, stop, _CHANNELS_AT_ONCE):
            last = min(stop, first + _CHANNELS_AT_ONCE)
            for c in range(first, last):
                _gather_channel(transformer, g, sums, np.int64(c), phase_depth, gw.shape[2], planes,
                                tables[worker, 0], tables[worker, 1])
            _join_taps(planes, first, last, gw)
