"""Vector instructions for numba: loops over channels, written once and emitted as LLVM vectors of the host's width.

numba vectorizes only what it can prove independent; these intrinsics need no proof. They take byte addresses.
"""
import os

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_FEATURES = llvmlite.binding.get_host_cpu_features()
_REGISTERS_OF_WIDTH = {16: 32, 8: 16, 4: 32 if 'neon' in _FEATURES else 16}

#: float32 values in one vector register; the variable lets one machine test what others run (with a NUMBA_CACHE_DIR of
#: its own, as numba's cache does not know of it)
WIDTH = int(os.environ.get('SNGAN_VECTOR_FLOATS', 0)) or (
    16 if _FEATURES.get('avx512f') else 8 if _FEATURES.get('avx2') else 4)
#: vector registers the compiler may use at once
REGISTERS = _REGISTERS_OF_WIDTH[WIDTH]

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_INT = ir.IntType(64)
_FLOAT_ALIGN = 4


def _splat(builder, scalar):
    lane0 = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    every_lane_is_0 = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(lane0, ir.Constant(_VECTOR, ir.Undefined), every_lane_is_0)


def _load(builder, address, kind=_VECTOR):
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=_FLOAT_ALIGN)


def _store(builder, vector, address):
    builder.store(vector, builder.inttoptr(address, _VECTOR.as_pointer()), align=_FLOAT_ALIGN)


def _multiply_add(builder, a, b, c):
    name = f'llvm.fmuladd.v{WIDTH}f32'
    function = builder.module.globals.get(name)
    if function is None:
        function = ir.Function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), name)
    return builder.call(function, [a, b, c])


class Lanes:
    """WIDTH floats inside one LLVM function, with just the arithmetic a linear map needs."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value

    def plus(self, other, factor=1.0):
        """self + factor * other, fused where the machine can."""
        if factor == 1:
            return Lanes(self.builder, self.builder.fadd(self.value, other.value))
        if factor == -1:
            return Lanes(self.builder, self.builder.fsub(self.value, other.value))
        return Lanes(self.builder, _multiply_add(self.builder, _constant(factor), other.value, self.value))

    def times(self, factor):
        if factor == 1:
            return self
        return Lanes(self.builder, self.builder.fmul(self.value, _constant(factor)))


def _constant(factor):
    return ir.Constant(_VECTOR, [float(factor)] * WIDTH)


def _combination(coefficients, lanes):
    """sum of coefficients * lanes, or None when all are zero."""
    terms = sorted(((c, x) for c, x in zip(coefficients, lanes) if c), key=lambda term: term[0] != 1)
    if not terms:
        return None
    total = terms[0][1].times(terms[0][0])
    for factor, x in terms[1:]:
        total = total.plus(x, factor)
    return total


def linear_map(matrix, lanes):
    """matrix @ lanes; rows that differ only in signs (points a and -a) share their even and odd halves."""
    rows = [list(map(float, row)) for row in matrix]
    result = [None] * len(rows)
    for i, row in enumerate(rows):
        if result[i] is not None:
            continue
        twin = next((j for j in range(i + 1, len(rows)) if result[j] is None and rows[j] != row
                     and list(map(abs, rows[j])) == list(map(abs, row))), None)
        if twin is None:
            result[i] = _combination(row, lanes)
            continue
        even = _combination([a if a == b else 0 for a, b in zip(row, rows[twin])], lanes)
        odd_coefficients = [a if a == -b else 0 for a, b in zip(row, rows[twin])]
        scale = max(map(abs, odd_coefficients))
        odd = _combination([a / scale for a in odd_coefficients], lanes)
        result[i], result[twin] = even.plus(odd, scale), even.plus(odd, -scale)
    return result


def sandwich(matrix, activated=False, biased=False, gated=False):
    """An intrinsic computing matrix @ x @ matrix.T, where x is a square of pixels, each WIDTH channels long.

    Called as (sources, source_shift, targets, target_shift, slope, bias, gate_shift): `sources` and `targets` are
    addresses of int64 tables of pixel addresses in row-major order, the shifts are bytes added to each of them.
    activated: each loaded value goes through max(x, slope * x). biased: WIDTH floats at address `bias` are added.
    gated: a result is multiplied by `slope` where the float `gate_shift` bytes from its target is not positive.
    """
    n_out, n_in = len(matrix), len(matrix[0])

    def emit(builder, sources, source_shift, targets, target_shift, slope, bias, gate_shift):
        slope = _splat(builder, slope)

        def pixel_address(table, index, shift):
            return builder.add(_load(builder, builder.add(table, _INT(8 * index)), _INT), shift)

        def read(row, column):
            value = _load(builder, pixel_address(sources, n_in * row + column, source_shift))
            if activated:
                sloped = builder.fmul(value, slope)
                value = builder.select(builder.fcmp_ordered('>', sloped, value), sloped, value)
            return Lanes(builder, value)

        columns = [linear_map(matrix, [read(i, j) for i in range(n_in)]) for j in range(n_in)]
        added = Lanes(builder, _load(builder, bias)) if biased else None
        for i in range(n_out):
            for j, result in enumerate(linear_map(matrix, [column[i] for column in columns])):
                address = pixel_address(targets, n_out * i + j, target_shift)
                value = (result.plus(added) if biased else result).value
                if gated:
                    gate = _load(builder, builder.add(address, gate_shift))
                    is_open = builder.fcmp_ordered('>', gate, ir.Constant(_VECTOR, [0.0] * WIDTH))
                    value = builder.select(is_open, value, builder.fmul(value, slope))
                _store(builder, value, address)

    @intrinsic
    def transform(typing_context, sources, source_shift, targets, target_shift, slope, bias, gate_shift):
        signature = types.void(*[types.int64] * 4, types.float32, types.int64, types.int64)

        def code(context, builder, _, arguments):
            emit(builder, *arguments)
            return context.get_dummy_value()
        return signature, code
    return transform


def product_tile(n_rows, n_vectors):
    """An intrinsic for c (+)= a @ b with c of n_rows x (n_vectors * WIDTH), held in registers throughout.

    Called as (a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate); steps are in bytes.
    """
    def emit(builder, a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate):
        lane_bytes = 4 * WIDTH
        targets = [[builder.add(builder.add(c, builder.mul(c_row_step, _INT(i))), _INT(lane_bytes * j))
                    for j in range(n_vectors)] for i in range(n_rows)]
        before = builder.block
        loop, after = builder.append_basic_block('depth'), builder.append_basic_block('stored')
        builder.branch(loop)

        builder.position_at_end(loop)
        step = builder.phi(_INT)
        a_now, b_now = builder.phi(_INT), builder.phi(_INT)
        sums = [[builder.phi(_VECTOR) for _ in range(n_vectors)] for _ in range(n_rows)]
        b_lanes = [_load(builder, builder.add(b_now, _INT(lane_bytes * j))) for j in range(n_vectors)]
        next_sums = []
        for i in range(n_rows):
            a_lane = _splat(builder, _load(builder, builder.add(a_now, builder.mul(a_row_step, _INT(i))), _FLOAT))
            next_sums.append([_multiply_add(builder, a_lane, b_lanes[j], sums[i][j]) for j in range(n_vectors)])
        next_step = builder.add(step, _INT(1))
        next_a, next_b = builder.add(a_now, a_depth_step), builder.add(b_now, b_depth_step)
        for phi, start, value in [(step, _INT(0), next_step), (a_now, a, next_a), (b_now, b, next_b)]:
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        for i in range(n_rows):
            for j in range(n_vectors):
                sums[i][j].add_incoming(ir.Constant(_VECTOR, [0.0] * WIDTH), before)
                sums[i][j].add_incoming(next_sums[i][j], loop)
        builder.cbranch(builder.icmp_signed('<', next_step, depth), loop, after)

        builder.position_at_end(after)
        with builder.if_else(builder.trunc(accumulate, ir.IntType(1))) as (add, replace):
            with add:
                for row, row_sums in zip(targets, next_sums):
                    for address, value in zip(row, row_sums):
                        _store(builder, builder.fadd(_load(builder, address), value), address)
            with replace:
                for row, row_sums in zip(targets, next_sums):
                    for address, value in zip(row, row_sums):
                        _store(builder, value, address)

    @intrinsic
    def multiply(typing_context, a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_step, depth, accumulate):
        signature = types.void(*[types.int64] * 9)

        def code(context, builder, _, arguments):
            emit(builder, *arguments)
            return context.get_dummy_value()
        return signature, code
    return multiply


def gathered_tile(n_rows, n_vectors):
    """An intrinsic for c = max(sum over taps of a[tap] @ b[tap] + bias, floor), c of n_rows x (n_vectors * WIDTH).

    Called as (table, n_taps, depth, b, bias, floor, c, c_row_step): `table` is the address of n_taps x n_rows int64
    addresses of `depth` floats each, b (n_taps, depth, n_vectors * WIDTH) and bias lie one number after the other.
    """
    lane_bytes = 4 * WIDTH

    def emit(builder, table, n_taps, depth, b, bias, floor, c, c_row_step):
        targets = [[builder.add(builder.add(c, builder.mul(c_row_step, _INT(i))), _INT(lane_bytes * j))
                    for j in range(n_vectors)] for i in range(n_rows)]
        biases = [_load(builder, builder.add(bias, _INT(lane_bytes * j))) for j in range(n_vectors)]
        depth_bytes = builder.mul(depth, _INT(4))
        before = builder.block
        taps, loop, after_tap, after = (builder.append_basic_block(name) for name in ('taps', 'depth', 'tap', 'stored'))
        builder.branch(taps)

        builder.position_at_end(taps)
        tap, entry, b_of_tap = (builder.phi(_INT) for _ in range(3))
        sums_of_tap = [[builder.phi(_VECTOR) for _ in range(n_vectors)] for _ in range(n_rows)]
        rows = [_load(builder, builder.add(entry, _INT(8 * i)), _INT) for i in range(n_rows)]
        builder.branch(loop)

        builder.position_at_end(loop)
        offset, b_now = builder.phi(_INT), builder.phi(_INT)
        sums = [[builder.phi(_VECTOR) for _ in range(n_vectors)] for _ in range(n_rows)]
        b_lanes = [_load(builder, builder.add(b_now, _INT(lane_bytes * j))) for j in range(n_vectors)]
        next_sums = []
        for i in range(n_rows):
            a_lane = _splat(builder, _load(builder, builder.add(rows[i], offset), _FLOAT))
            next_sums.append([_multiply_add(builder, a_lane, b_lanes[j], sums[i][j]) for j in range(n_vectors)])
        next_offset, next_b = builder.add(offset, _INT(4)), builder.add(b_now, _INT(lane_bytes * n_vectors))
        for phi, start, value in [(offset, _INT(0), next_offset), (b_now, b_of_tap, next_b)]:
            phi.add_incoming(start, taps)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed('<', next_offset, depth_bytes), loop, after_tap)

        builder.position_at_end(after_tap)
        next_tap, next_entry = builder.add(tap, _INT(1)), builder.add(entry, _INT(8 * n_rows))
        for phi, start, value in [(tap, _INT(0), next_tap), (entry, table, next_entry), (b_of_tap, b, next_b)]:
            phi.add_incoming(start, before)
            phi.add_incoming(value, after_tap)
        for i in range(n_rows):
            for j in range(n_vectors):
                sums[i][j].add_incoming(sums_of_tap[i][j], taps)
                sums[i][j].add_incoming(next_sums[i][j], loop)
                sums_of_tap[i][j].add_incoming(biases[j], before)
                sums_of_tap[i][j].add_incoming(next_sums[i][j], after_tap)
        builder.cbranch(builder.icmp_signed('<', next_tap, n_taps), taps, after)

        builder.position_at_end(after)
        floor = _splat(builder, floor)
        for row, row_sums in zip(targets, next_sums):
            for address, value in zip(row, row_sums):
                _store(builder, builder.select(builder.fcmp_ordered('>', value, floor), value, floor), address)

    @intrinsic
    def product(typing_context, table, n_taps, depth, b, bias, floor, c, c_row_step):
        def code(context, builder, _, arguments):
            emit(builder, *arguments)
            return context.get_dummy_value()
        return types.void(*[types.int64] * 5, types.float32, *[types.int64] * 2), code
    return product
