"""Winograd convolution of channels-last arrays: transform tiles, multiply, transform back, a cache-sized block at a time.

A block's transformed tiles never leave the cache, so a pass reads its input once and writes its output once.
Every function here takes arrays that the caller allocated, and addresses in tables; `convolution.py` is the way in.
"""
import numba
import numpy as np
from numba import int64, types

from source.kernels.cpu.lanes import WIDTH
from source.kernels.cpu.primitives import (FROM_PRODUCTS, FROM_PRODUCTS_GATED, GRADIENT_TO_PRODUCTS, PRODUCTS_TO_TAPS,
                                           ROWS, TAPS_TO_PRODUCTS, TO_PRODUCTS, multiply, transform)

_FLOAT = 4  # bytes

_Vector, _Cube, _Images = (types.Array(types.float32, n, 'C') for n in (1, 3, 4))
_Taps = types.Array(types.float32, 4, 'A')
_Tables = types.Array(types.int64, 3, 'C')
_Sums = types.Array(types.float64, 1, 'C')


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


@_parallel(*[int64] * 8, _Images, types.float32, _Images, _Vector, _Images, types.float32, types.boolean, _Images,
           _Images, _Images, _Tables, _Cube, _Vector)
def convolve(transformer, multiplier, scheme, patch_side, step_in, side, n_phases, step_out,
             x, slope, weight, bias, gate, gate_slope, gated, y, V, M, tables, patches, zeros):
    """y = convolution of max(x, slope x) + bias, times `slope` where gated and gate is not positive.

    weight (products, column chunks, depth, chunk columns) comes from transform_weight;
    V (threads, products, tiles, depth row) and M (threads, products, tiles, columns) are scratch.
    """
    n_products, n_chunks, depth, chunk_columns = weight.shape
    block_tiles, block_chunks = V.shape[2], M.shape[3] // chunk_columns
    rows, columns = -(-y.shape[1] // step_out), -(-y.shape[2] // step_out)
    n_tiles = y.shape[0] * rows * columns
    n_outputs = y.shape[3]
    gate_shift = _address(gate) - _address(y)
    for block_index in numba.prange(-(-n_tiles // block_tiles)):
        block = np.int64(block_index)
        thread = numba.get_thread_id()
        first = block * block_tiles
        n_here = min(block_tiles, n_tiles - first)
        table, products, patch_table = tables[thread, 0], tables[thread, 1], tables[thread, 2]
        patch = patches[thread]
        _list_patch(patch_table, patch)
        v, m = V[thread], M[thread]
        _list_products(products, _address(v), side, n_phases, v.strides[0], depth // n_phases ** 2 * _FLOAT)
        for t in range(n_here):
            image, place = divmod(first + t, rows * columns)
            i, j = divmod(place, columns)
            _transform_tile(transformer, TO_PRODUCTS + scheme, x, image, i * step_in - 1, j * step_in - 1, patch_side, slope,
                            table, zeros, patch, patch_table, _address(products), t * v.strides[1])
        _list_products(products, _address(m), side, 1, m.strides[0], 0)
        for first_chunk in range(0, n_chunks, block_chunks):
            n_chunks_here = min(block_chunks, n_chunks - first_chunk)
            for p in range(n_products):
                for chunk in range(n_chunks_here):
                    b = _address(weight) + p * weight.strides[0] + (first_chunk + chunk) * weight.strides[1]
                    for t in range(0, n_here, ROWS):
                        multiply(multiplier, chunk_columns // WIDTH,
                                  _address(v) + p * v.strides[0] + t * v.strides[1], v.strides[1], _FLOAT,
                                  b, weight.strides[2],
                                  _address(m) + p * m.strides[0] + t * m.strides[1] + chunk * chunk_columns * _FLOAT,
                                  m.strides[1], depth, 0)
            start = first_chunk * chunk_columns
            stop = min(n_outputs, start + n_chunks_here * chunk_columns)
            for t in range(n_here):
                image, place = divmod(first + t, rows * columns)
                i, j = divmod(place, columns)
                top, left = i * step_out, j * step_out
                whole = top + step_out <= y.shape[1] and left + step_out <= y.shape[2]
                _list_pixels(table, y, image, top, left, step_out, _address(zeros))
                for channel in range(start, stop, WIDTH):
                    shift = t * m.strides[1] + (channel - start) * _FLOAT
                    bias_here = _address(bias) + channel * _FLOAT
                    if not whole or channel + WIDTH > n_outputs:
                        transform(transformer, FROM_PRODUCTS + scheme, _address(products), shift, _address(patch_table),
                                  0, gate_slope, bias_here, 0)
                        _scatter(patch, y, gate, gated, gate_slope, image, top, left, step_out, channel)
                    elif gated:
                        transform(transformer, FROM_PRODUCTS_GATED + scheme, _address(products), shift, _address(table),
                                  channel * _FLOAT, gate_slope, bias_here, gate_shift)
                    else:
                        transform(transformer, FROM_PRODUCTS + scheme, _address(products), shift, _address(table),
                                  channel * _FLOAT, gate_slope, bias_here, 0)


@_parallel(*[int64] * 4, _Taps, _Cube, _Images, _Tables)
def transform_weight(transformer, scheme, side, n_phases, w, planes, weight, tables):
    """Fill `weight` from w (O, C, k, k) of any strides; planes (k k, C, columns) is scratch."""
    n_products, n_chunks, depth, chunk_columns = weight.shape
    n_outputs, n_channels, n_taps = w.shape[0], w.shape[1], w.shape[2]
    n_columns = n_chunks * chunk_columns
    phase_depth = depth // n_phases ** 2
    for channel_index in numba.prange(phase_depth):
        c = np.int64(channel_index)
        thread = numba.get_thread_id()
        sources, targets = tables[thread, 0], tables[thread, 1]
        for i in range(n_taps):
            for j in range(n_taps):
                plane = planes[i * n_taps + j, c]
                sources[i * n_taps + j] = _address(plane)
                for o in range(n_columns):
                    plane[o] = w[o, c, i, j] if c < n_channels and o < n_outputs else np.float32(0)
        _list_products(targets, _address(weight), side, n_phases, weight.strides[0],
                       phase_depth * weight.strides[2])
        for column in range(0, n_columns, WIDTH):
            chunk, lane = divmod(column, chunk_columns)
            transform(transformer, TAPS_TO_PRODUCTS + scheme, _address(sources), column * _FLOAT, _address(targets),
                      chunk * weight.strides[1] + c * weight.strides[2] + lane * _FLOAT, np.float32(1), 0, 0)


@_parallel(*[int64] * 8, _Images, types.float32, _Images, types.float32, _Sums, int64, _Cube, _Cube, _Cube,
           _Tables, _Cube, _Vector)
def weight_gradient(transformer, multiplier, scheme, patch_side, step_in, side, n_phases, step_out,
                    x, x_slope, gy, gy_slope, bias_gradient, phase_depth, V, D, sums, tables, patches, zeros):
    """sums (products, depth, columns) = over all tiles, transformed x by transformed gy; bias_gradient = sum of gy.

    V (products, tiles, depth row) and D (products, tiles, columns) are scratch. Work is divided by product, not by
    tile, so that the order of every addition, and hence every bit, is the same for any number of threads.
    """
    n_products, depth, n_columns = sums.shape
    block_tiles = V.shape[1]
    chunk_columns = min(2 * WIDTH, n_columns)
    n_chunks = n_columns // chunk_columns
    rows, columns = -(-gy.shape[1] // step_out), -(-gy.shape[2] // step_out)
    n_tiles = gy.shape[0] * rows * columns
    product_of_sums = side + 1  # both points are 1, where the transform adds all pixels of the tile
    for block in range(-(-n_tiles // block_tiles)):
        first = block * block_tiles
        n_here = min(block_tiles, n_tiles - first)
        for tile_index in numba.prange(n_here):
            t = np.int64(tile_index)
            thread = numba.get_thread_id()
            table, products, patch_table = tables[thread, 0], tables[thread, 1], tables[thread, 2]
            patch = patches[thread]
            _list_patch(patch_table, patch)
            image, place = divmod(first + t, rows * columns)
            i, j = divmod(place, columns)
            _list_products(products, _address(V), side, n_phases, V.strides[0], phase_depth * _FLOAT)
            _transform_tile(transformer, TO_PRODUCTS + scheme, x, image, i * step_in - 1, j * step_in - 1, patch_side, x_slope,
                            table, zeros, patch, patch_table, _address(products), t * V.strides[1])
            _list_products(products, _address(D), side, 1, D.strides[0], 0)
            _transform_tile(transformer, GRADIENT_TO_PRODUCTS + scheme, gy, image, i * step_out, j * step_out, step_out, gy_slope,
                            table, zeros, patch, patch_table, _address(products), t * D.strides[1])
        for job in numba.prange(n_products * n_chunks):
            p, chunk = divmod(np.int64(job), n_chunks)
            column = chunk * chunk_columns
            if p == product_of_sums:
                for t in range(n_here):
                    for c in range(column, min(column + chunk_columns, len(bias_gradient))):
                        bias_gradient[c] += D[p, t, c]
            for row in range(0, depth, ROWS):
                multiply(multiplier, chunk_columns // WIDTH,
                          _address(V) + p * V.strides[0] + row * _FLOAT, _FLOAT, V.strides[1],
                          _address(D) + p * D.strides[0] + column * _FLOAT, D.strides[1],
                          _address(sums) + p * sums.strides[0] + row * sums.strides[1] + column * _FLOAT,
                          sums.strides[1], n_here, int(block > 0))


@_parallel(*[int64] * 4, _Cube, int64, _Cube, _Taps, _Tables)
def gather_weight_gradient(transformer, scheme, side, n_phases, sums, phase_depth, planes, gw, tables):
    """gw (O, C, k, k), of any strides, from the sums over products; planes (k k, C, columns) is scratch."""
    n_outputs, n_channels, n_taps = gw.shape[0], gw.shape[1], gw.shape[2]
    for channel_index in numba.prange(n_channels):
        c = np.int64(channel_index)
        thread = numba.get_thread_id()
        sources, targets = tables[thread, 0], tables[thread, 1]
        _list_products(sources, _address(sums), side, n_phases, sums.strides[0], phase_depth * sums.strides[1])
        for tap in range(n_taps ** 2):
            targets[tap] = _address(planes) + tap * planes.strides[0] + c * planes.strides[1]
        for column in range(0, sums.shape[2], WIDTH):
            transform(transformer, PRODUCTS_TO_TAPS + scheme, _address(sources), c * sums.strides[1] + column * _FLOAT,
                      _address(targets), column * _FLOAT, np.float32(1), 0, 0)
        for i in range(n_taps):
            for j in range(n_taps):
                for o in range(n_outputs):
                    gw[o, c, i, j] = planes[i * n_taps + j, c, o]
