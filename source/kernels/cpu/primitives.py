"""The vector code Winograd's algorithm needs, compiled once and called through its address.

Numba would otherwise compile all of it again into every function that uses it, which takes tens of seconds.
"""
from source.kernels.cpu.lanes import REGISTERS, product_tile, sandwich
from source.kernels.cpu.schemes import DOWN, SAME, UP

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: rows of a register tile: with two vectors a row, it and its operands fill no more than the registers
ROWS = 8 if REGISTERS >= 32 else 6

#: what `transform` can do; the scheme's number (same 0, down 1, up 2) is added
(TO_PRODUCTS, FROM_PRODUCTS, FROM_PRODUCTS_GATED, TAPS_TO_PRODUCTS, GRADIENT_TO_PRODUCTS,
 PRODUCTS_TO_TAPS) = range(0, 18, 3)

_same_in, _down_in, _up_in = (sandwich(s.to_products, activated=True) for s in (SAME, DOWN, UP))
_same_out, _down_out, _up_out = (sandwich(s.from_products, biased=True) for s in (SAME, DOWN, UP))
_same_gated, _down_gated, _up_gated = (sandwich(s.from_products, biased=True, gated=True) for s in (SAME, DOWN, UP))
_same_taps, _down_taps, _up_taps = (sandwich(s.from_taps) for s in (SAME, DOWN, UP))
_same_gradient, _down_gradient = (sandwich(s.from_products.T, activated=True) for s in (SAME, DOWN))
_same_taps_back, _down_taps_back = (sandwich(s.from_taps.T) for s in (SAME, DOWN))
_wide, _narrow = product_tile(ROWS, 2), product_tile(ROWS, 1)

_TRANSFORM = types.void(*[types.int64] * 5, types.float32, types.int64, types.int64)
_MULTIPLY = types.void(*[types.int64] * 10)


@numba.cfunc(_TRANSFORM, cache=True)
def _transform(kind, sources, source_shift, targets, target_shift, slope, bias, gate_shift):
    if kind == 0:
        _same_in(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 1:
        _down_in(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 2:
        _up_in(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 3:
        _same_out(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 4:
        _down_out(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 5:
        _up_out(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 6:
        _same_gated(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 7:
        _down_gated(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 8:
        _up_gated(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 9:
        _same_taps(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 10:
        _down_taps(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 11:
        _up_taps(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 12:
        _same_gradient(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 13:
        _down_gradient(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 15:
        _same_taps_back(sources, source_shift, targets, target_shift, slope, bias, gate_shift)
    elif kind == 16:
        _down_taps_back(sources, source_shift, targets, target_shift, slope, bias, gate_shift)


@numba.cfunc(_MULTIPLY, cache=True)
def _multiply(n_vectors, a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate):
    if n_vectors == 2:
        _wide(a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate)
    else:
        _narrow(a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate)


def caller(signature):
    """The code generator of an intrinsic that calls the function at the address given as its first argument."""
    def code(context, builder, _, arguments):
        function = ir.FunctionType(ir.VoidType(), [context.get_value_type(t) for t in signature.args])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()
    return types.void(types.int64, *signature.args), code


@intrinsic
def transform(typing_context, function, kind, sources, source_shift, targets, target_shift, slope, bias, gate_shift):
    return caller(_TRANSFORM)


@intrinsic
def multiply(typing_context, function, n_vectors, a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth,
             accumulate):
    return caller(_MULTIPLY)


@intrinsic
def take_number(typing_context, counter):
    """The int64 at this address before adding one to it, no two threads getting the same."""
    def code(context, builder, _, arguments):
        address = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw('add', address, ir.Constant(ir.IntType(64), 1), 'monotonic')
    return types.int64(types.int64), code


#: addresses to hand to compiled code, which must not keep them: they change with every process
TRANSFORM, MULTIPLY = _transform.address, _multiply.address
