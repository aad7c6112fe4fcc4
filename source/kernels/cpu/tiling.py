"""How a convolution is cut into blocks: sizes, scratch memory and the call into the compiled loops."""
from source.kernels.cpu import memory, winograd
from source.kernels.cpu.lanes import WIDTH
from source.kernels.cpu.primitives import MULTIPLY, ROWS, TRANSFORM
from source.kernels.cpu.schemes import DOWN, SAME, UP

import numba
import numpy as np

_NUMBER = {id(SAME): 0, id(DOWN): 1, id(UP): 2}
_MOST_PRODUCTS = 100
_FLOAT_BYTES = 4

# Measured on 1 MB of L2 cache and 32 MB of L3 for two cores; a factor of two either way changes little.
_BLOCK_BYTES = 1 << 20
_FEWEST_TILES = 24
_GRADIENT_BLOCK_BYTES = 12 << 20


def _round_up(n, step):
    return -(-n // step) * step


def _row_floats(n):
    """n floats, then some, as an odd number of vectors, lest the rows of a matrix compete for the same cache sets."""
    return (-(-n // WIDTH) | 1) * WIDTH


def _chunk_columns(n_outputs):
    return WIDTH if n_outputs <= WIDTH else 2 * WIDTH


def _n_tiles(scheme, y_shape):
    return y_shape[0] * -(-y_shape[1] // scheme.step_out) * -(-y_shape[2] // scheme.step_out)


def _geometry(scheme):
    return winograd.Geometry(_NUMBER[id(scheme)], scheme.to_products.shape[1], scheme.step_in, scheme.n_products,
                             scheme.n_phases, scheme.step_out)


def _address_tables(n_threads):
    return memory.scratch('tables', (n_threads, 3, _MOST_PRODUCTS), np.int64)


def _edge_tiles(n_threads):
    return memory.scratch('edge tiles', (n_threads, _MOST_PRODUCTS, WIDTH))


def _counters():
    return memory.scratch('counters', (2,), np.int64)


def _zeros(n):
    zeros = memory.scratch('zeros', (n,))
    zeros[:] = 0
    return zeros


def _transformed_weight(scheme, w, tables):
    n_outputs, n_channels, n_taps = w.shape[:3]
    chunk = _chunk_columns(n_outputs)
    n_chunks = -(-n_outputs // chunk)
    phase_depth = n_channels if scheme.n_phases == 1 else _round_up(n_channels, WIDTH)
    depth = phase_depth * scheme.n_phases ** 2
    products = memory.scratch('products', (scheme.n_products ** 2, _row_floats(n_chunks * depth * chunk)))
    weight = products[:, :n_chunks * depth * chunk].reshape(-1, n_chunks, depth, chunk)
    planes = memory.scratch('planes', (phase_depth, n_taps ** 2, _row_floats(n_chunks * chunk)))
    winograd.transform_weight(TRANSFORM, _geometry(scheme), w, planes, weight, tables)
    return weight


def convolve(scheme, x, w, bias, slope, out_shape, gate=None, gate_slope=0):
    """y (N, *out_shape, O) from x (N, H, W, C) and taps w (O, C, k, k) of any strides; see convolution.py."""
    n_threads = numba.get_num_threads()
    tables = _address_tables(n_threads)
    weight = _transformed_weight(scheme, w, tables)
    n_products, n_chunks, depth, chunk = weight.shape
    n_outputs = w.shape[0]
    y = memory.empty((x.shape[0], *out_shape, n_outputs))
    padded_bias = memory.scratch('bias', (n_chunks * chunk,))
    padded_bias[:] = 0
    if bias is not None:
        padded_bias[:n_outputs] = bias
    row = _row_floats(depth + WIDTH)
    n_tiles = max(_FEWEST_TILES, _BLOCK_BYTES // (_FLOAT_BYTES * n_products * row))
    n_tiles = _round_up(min(n_tiles, max(1, -(-_n_tiles(scheme, y.shape) // n_threads))), ROWS)
    n_chunks = max(1, min(n_chunks, _BLOCK_BYTES // (_FLOAT_BYTES * n_products * n_tiles * chunk)))
    winograd.convolve(
        TRANSFORM, MULTIPLY, _geometry(scheme), x, slope, weight, padded_bias,
        y if gate is None else gate, gate_slope, gate is not None, y,
        memory.scratch('tiles', (n_threads, n_products, n_tiles, row)),
        memory.scratch('results', (n_threads, n_products, n_tiles, n_chunks * chunk)),
        tables, _edge_tiles(n_threads), _zeros(_round_up(x.shape[3], WIDTH)), _counters())
    return y


def weight_gradient(scheme, x, x_slope, gy, gy_slope, gw):
    """Fill gw (O, C, k, k), of any strides; return the bias gradient (O,)."""
    n_threads = numba.get_num_threads()
    n_outputs, n_channels, n_taps = gw.shape[:3]
    n_products = scheme.n_products ** 2
    n_columns = _round_up(n_outputs, _chunk_columns(n_outputs))
    phase_depth = n_channels if scheme.n_phases == 1 else _round_up(n_channels, WIDTH)
    depth = _round_up(phase_depth * scheme.n_phases ** 2, ROWS)
    row, column_row = _row_floats(depth + WIDTH), _row_floats(n_columns)
    n_tiles = max(32, _GRADIENT_BLOCK_BYTES // (_FLOAT_BYTES * n_products * (row + column_row)))
    n_tiles = min(n_tiles, _n_tiles(scheme, gy.shape))
    if n_tiles == 0:
        gw[...] = 0
        return np.zeros(n_outputs, np.float32)
    sums = memory.scratch('products', (n_products, depth, n_columns))
    tables = _address_tables(n_threads)
    bias_gradient = np.zeros(n_outputs)
    winograd.weight_gradient(
        TRANSFORM, MULTIPLY, _geometry(scheme), x, x_slope, gy, gy_slope, bias_gradient, phase_depth,
        memory.scratch('tiles', (n_products, n_tiles, row)),
        memory.scratch('results', (n_products, n_tiles, column_row)),
        sums, tables, _edge_tiles(n_threads), _zeros(_round_up(max(n_channels, n_outputs), WIDTH)),
        _counters())
    planes = memory.scratch('planes', (n_channels, n_taps ** 2, _row_floats(n_columns)))
    winograd.gather_weight_gradient(TRANSFORM, _geometry(scheme), sums, phase_depth, planes, gw, tables)
    return bias_gradient.astype(np.float32)
