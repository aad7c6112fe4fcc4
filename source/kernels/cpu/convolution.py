"""Convolutions of channels-last float32 arrays on a CPU: forward, data gradient and weight gradient.

x (N, H, W, C) and y (N, H', W', O) are C-contiguous; weights keep Chainer's layouts. `slope` applies max(x, slope x)
to the input as it is read: 1 leaves it alone, 0 is ReLU, 0.2 a leaky one. Equal inputs give equal bits.
"""
import numba
import numpy as np

from source.kernels.cpu import memory, winograd
from source.kernels.cpu.lanes import WIDTH

_SAME, _DOWN, _UP = range(3)
_VECTOR_BYTES = 4 * WIDTH


def _round_up(n, step):
    return -(-n // step) * step


def _row_floats(n):
    """Floats per scratch row: an odd number of vectors, lest rows share cache sets."""
    return (-(-n // WIDTH) | 1) * WIDTH


def _chunk_columns(n_outputs):
    return WIDTH if n_outputs <= WIDTH else 2 * WIDTH


def _tables(n_threads):
    return memory.scratch('tables', (n_threads, 3, 128), np.int64), memory.scratch('patches', (n_threads, 128, WIDTH))


def _zeros(n):
    zeros = memory.scratch('zeros', (n,))
    zeros[:] = 0
    return zeros


class TransformedWeight:
    """Taps (O, C, k, k), of any strides, ready for `convolve` by one scheme."""

    def __init__(self, scheme, w):
        s = winograd.SCHEMES[scheme]
        self.scheme = scheme
        self.n_outputs, n_channels, n_taps = w.shape[:3]
        chunk = _chunk_columns(self.n_outputs)
        n_chunks = -(-self.n_outputs // chunk)
        phase_depth = n_channels if s.n_phases == 1 else _round_up(n_channels, WIDTH)
        self.products = memory.scratch('weight', (s.n_products ** 2, n_chunks, phase_depth * s.n_phases ** 2, chunk))
        planes = memory.scratch('planes', (n_taps ** 2, phase_depth, n_chunks * chunk))
        winograd.transform_weight(scheme, s.n_products, s.n_phases, w, planes, self.products,
                                  _tables(numba.get_num_threads())[0])


BLOCK_BYTES = 1 << 20
M_BYTES = 1 << 20
MIN_TILES = 24


def _convolve(scheme, x, w, bias, slope, out_shape, gate=None, gate_slope=0):
    s = winograd.SCHEMES[scheme]
    weight = TransformedWeight(scheme, w)
    n_threads = numba.get_num_threads()
    n_products, n_chunks, depth, chunk = weight.products.shape
    y = memory.empty((x.shape[0], *out_shape, weight.n_outputs))
    padded_bias = memory.scratch('bias', (n_chunks * chunk,))
    padded_bias[:] = 0
    if bias is not None:
        padded_bias[:weight.n_outputs] = bias
    n_tiles = x.shape[0] * -(-out_shape[0] // s.step_out) * -(-out_shape[1] // s.step_out)
    row = _row_floats(depth + WIDTH)
    tiles = max(MIN_TILES, BLOCK_BYTES // (4 * n_products * row))
    tiles = _round_up(min(tiles, -(-n_tiles // n_threads)), winograd.ROWS)
    chunks = max(1, min(n_chunks, M_BYTES // (4 * n_products * tiles * chunk)))
    tables, patches = _tables(n_threads)
    V = memory.scratch('V', (n_threads, n_products, tiles, row))
    M = memory.scratch('M', (n_threads, n_products, tiles, chunks * chunk))
    winograd.convolve(scheme, s.to_products.shape[1], s.step_in, s.n_products, s.n_phases, s.step_out,
                      x, np.float32(slope), weight.products, padded_bias, y if gate is None else gate,
                      np.float32(gate_slope), gate is not None, y, V, M, tables, patches, _zeros(_round_up(x.shape[3], WIDTH)))
    return y


WG_BYTES = 12 << 20


def _weight_gradient(scheme, x, x_slope, gy, gy_slope, gw):
    """Write the gradient of taps gw (O, C, k, k), of any strides; return that of the bias."""
    s = winograd.SCHEMES[scheme]
    n_threads = numba.get_num_threads()
    n_outputs, n_channels, n_taps = gw.shape[:3]
    n_products = s.n_products ** 2
    chunk = _chunk_columns(n_outputs)
    n_columns = _round_up(n_outputs, chunk)
    phase_depth = _round_up(n_channels, WIDTH if s.n_phases > 1 else winograd.ROWS)
    depth = _round_up(phase_depth * s.n_phases ** 2, winograd.ROWS)
    row, column_row = _row_floats(depth + WIDTH), _row_floats(n_columns)
    n_tiles = gy.shape[0] * -(-gy.shape[1] // s.step_out) * -(-gy.shape[2] // s.step_out)
    tiles = min(n_tiles, max(32, WG_BYTES // (4 * n_products * (row + column_row))))
    V = memory.scratch('V', (n_products, tiles, row))
    D = memory.scratch('M', (n_products, tiles, column_row))
    sums = memory.scratch('weight', (n_products, depth, n_columns))
    planes = memory.scratch('planes', (n_taps ** 2, n_channels, n_columns))
    tables, patches = _tables(n_threads)
    bias_gradient = np.empty(n_outputs)
    winograd.weight_gradient(scheme, s.to_products.shape[1], s.step_in, s.n_products, s.n_phases, s.step_out,
                             x, np.float32(x_slope), gy, np.float32(gy_slope), bias_gradient, V, D, sums,
                             tables, patches, _zeros(_round_up(max(x.shape[3], gy.shape[3]), WIDTH)))
    winograd.gather_weight_gradient(scheme, s.n_products, s.n_phases, sums, phase_depth, planes, gw, tables)
    return bias_gradient.astype(np.float32)


def convolution_3x3(x, w, bias=None, slope=1):
    return _convolve(_SAME, x, w, bias, slope, x.shape[1:3])


def convolution_3x3_data_gradient(gy, w, gate=None, slope=0):
    return _convolve(_SAME, gy, w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3), None, 1, gy.shape[1:3], gate, slope)


def convolution_3x3_weight_gradient(x, gy, slope=1):
    gw = np.empty((gy.shape[3], x.shape[3], 3, 3), np.float32)
    return gw, _weight_gradient(_SAME, x, slope, gy, 1, gw)
