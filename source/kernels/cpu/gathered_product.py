"""The vector code of convolutions in inference, compiled once and called through its address, as in `primitives.py`."""
from source.kernels.cpu.lanes import gathered_tile
from source.kernels.cpu.primitives import ROWS, caller

import numba
from numba import types
from numba.extending import intrinsic

_SIGNATURE = types.void(*[types.int64] * 6, types.float32, *[types.int64] * 2)
_wide, _narrow = gathered_tile(ROWS, 2), gathered_tile(ROWS, 1)


@numba.cfunc(_SIGNATURE, cache=True)
def _gathered_product(n_vectors, table, n_taps, depth, b, bias, floor, c, c_row_step):
    if n_vectors == 2:
        _wide(table, n_taps, depth, b, bias, floor, c, c_row_step)
    else:
        _narrow(table, n_taps, depth, b, bias, floor, c, c_row_step)


@intrinsic
def gathered_product(typing_context, function, n_vectors, table, n_taps, depth, b, bias, floor, c, c_row_step):
    return caller(_SIGNATURE)


#: its address, to hand to compiled code, which must not keep it: it changes with every process
GATHERED_PRODUCT = _gathered_product.address
