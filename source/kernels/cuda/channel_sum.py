"""Sums over everything but channels; see `source.kernels.reference.channel_sum`."""
from source.kernels.cuda import launching

import numpy as np

MOST_BLOCKS = 512  # about four on each multiprocessor of a large GPU; fixed, so that sums have the same bits on all


def rows_split(rows, channels, vec):
    """How (rows, channels) are cut for a sum over rows: grid (parts, tiles), block, and rows of a part."""
    block = launching.channels_block(channels, vec)
    tiles = launching.ceil_div(channels, block[0] * vec)
    parts = max(1, min(launching.ceil_div(rows, 2 * block[1]), MOST_BLOCKS // tiles))
    per_part = launching.ceil_div(rows, parts)
    return (launching.ceil_div(rows, per_part), tiles), block, per_part


def channel_sum(x):
    launching.contiguous(x)
    channels = x.shape[-1]
    rows = x.size // channels
    y = launching.empty((channels,))
    vec = launching.vec_of(x, channels)
    grid, block, per_part = rows_split(rows, channels, vec)
    args = (x, launching.empty((grid[0], channels)), launching.counters(grid[1]), y, np.int32(rows), np.int32(channels),
            np.int32(per_part))
    launching.launch('channel_sum', 'channel_sum', grid, block, args, x.dtype, vec)
    return y
