"""Runs CUDA C kernels on the CPU, one fiber a thread, behind the few names of CuPy that launching them takes.

It checks indices, sums, barriers and alignment: a fiber runs until it must wait, so that a missing barrier shows at
once. Blocks and threads run in order or, with `FakeCupy.reverse`, the other way round, so that nothing can depend on
who comes first. New arrays are filled with NaN and lie between guards, which are looked at after each launch.
"""
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import types

import numpy as np
import pytest

SHIM = r'''
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <ucontext.h>
#include <algorithm>
#include <utility>
#define __global__
#define __device__ static  // so that no other library's shared memory is taken for a function's own
#define __shared__ static
#define __grid_constant__
#define __launch_bounds__(...)
using std::max;
using std::min;
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
static float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
union Bits { unsigned u; float f; };
static float __uint_as_float(unsigned x) { return Bits{x}.f; }
static unsigned __float_as_uint(float x) { Bits bits; bits.f = x; return bits.u; }
static int __ffs(unsigned x) { return __builtin_ffs(x); }
template <class S> static S __ldcg(const S* p) { return *p; }
static void __threadfence() {}
static long long clock64() { static long long cycles; return cycles += 1 << 20; }
static unsigned atomicInc(unsigned* p, unsigned most) { return *p >= most ? std::exchange(*p, 0u) : (*p)++; }
struct Dims { unsigned x, y; };
static Dims threadIdx, blockIdx, blockDim, gridDim;
enum State { NEW, READY, AT_WARP, AT_BLOCK, DONE };
struct Fiber {
    State state;
    bool turn;
    double given[2];  // to its warp, in turns, so that one barrier is enough
    ucontext_t beginning;  // from where on it jumps, as changing contexts asks the kernel twice
    jmp_buf at;
    char stack[1 << 15];
};
static Fiber fibers[1024];
static unsigned n_fibers, current;
static jmp_buf scheduler;
static void wait_at(State barrier) {
    fibers[current].state = barrier;
    if (!_setjmp(fibers[current].at)) _longjmp(scheduler, 1);
}
static __attribute__((noinline)) void resume() {
    if (_setjmp(scheduler)) return;
    if (fibers[current].state != NEW) _longjmp(fibers[current].at, 1);
    setcontext(&fibers[current].beginning);
}
static void __syncthreads() { wait_at(AT_BLOCK); }
static bool exchange(double value) {
    bool turn = fibers[current].turn;
    fibers[current].turn = !turn;
    fibers[current].given[turn] = value;
    wait_at(AT_WARP);
    return turn;
}
template <class S> static S __shfl_down_sync(unsigned, S value, unsigned offset) {
    bool turn = exchange(value);
    return current % 32 + offset < 32 ? S(fibers[current + offset].given[turn]) : value;
}
template <class S> static S __shfl_xor_sync(unsigned, S value, unsigned mask) {
    bool turn = exchange(value);
    return S(fibers[current ^ mask].given[turn]);
}
static unsigned __ballot_sync(unsigned, bool mine) {
    bool turn = exchange(mine);
    unsigned result = 0, warp = current / 32 * 32;
    for (unsigned i = 0; i < 32 && warp + i < n_fibers; ++i) result |= unsigned(fibers[warp + i].given[turn] != 0) << i;
    return result;
}
static bool release(unsigned begin, unsigned end, State barrier) {
    bool waiting = false;
    for (unsigned i = begin; i < end; ++i) {
        if (fibers[i].state != barrier && fibers[i].state != DONE) return false;
        waiting |= fibers[i].state == barrier;
    }
    for (unsigned i = begin; i < end; ++i)
        if (fibers[i].state == barrier) fibers[i].state = READY;
    return waiting;
}
static void (*body)();
static void run_fiber() {
    body();
    fibers[current].state = DONE;
    _longjmp(scheduler, 1);
}
static bool reverse;
static bool run_block() {
    for (unsigned i = 0; i < n_fibers; ++i) {
        fibers[i].state = NEW;
        fibers[i].turn = fibers[i].given[0] = fibers[i].given[1] = 0;
        getcontext(&fibers[i].beginning);
        fibers[i].beginning.uc_stack.ss_sp = fibers[i].stack;
        fibers[i].beginning.uc_stack.ss_size = sizeof fibers[i].stack;
        makecontext(&fibers[i].beginning, run_fiber, 0);
    }
    for (bool progress = true; progress;) {
        progress = false;
        for (unsigned turn = 0; turn < n_fibers; ++turn) {
            current = reverse ? n_fibers - 1 - turn : turn;
            if (fibers[current].state > READY) continue;
            progress = true;
            threadIdx = {current % blockDim.x, current / blockDim.x};
            resume();
        }
        for (unsigned i = 0; i < n_fibers; i += 32) progress |= release(i, min(i + 32, n_fibers), AT_WARP);
        progress |= release(0, n_fibers, AT_BLOCK);
    }
    return std::all_of(fibers, fibers + n_fibers, [](const Fiber& fiber) { return fiber.state == DONE; });
}
static bool misaligned;
// What the compiler calls where an address is no multiple of its type's alignment; a GPU would stop there.
extern "C" void __ubsan_handle_type_mismatch_v1(void*, void*) { misaligned = true; }
static void** arguments;
template <auto kernel, class... A, size_t... I> static void call(void (*)(A...), std::index_sequence<I...>) {
    body = [] { kernel(*static_cast<A*>(arguments[I])...); };
}
template <auto kernel, class... A> static bool launch(void (*k)(A...), const unsigned* dims, void** args) {
    gridDim = {dims[0], dims[1]};
    blockDim = {dims[2], dims[3]};
    n_fibers = blockDim.x * blockDim.y;
    arguments = args;
    call<kernel>(k, std::index_sequence_for<A...>());
    reverse = dims[4];
    misaligned = false;
    unsigned n = gridDim.x * gridDim.y;
    for (unsigned i = 0; i < n; ++i) {
        unsigned block = reverse ? n - 1 - i : i;
        blockIdx = {block % gridDim.x, block / gridDim.x};
        if (!run_block()) return false;
    }
    return true;
}
'''
LAUNCHER = r'''
extern "C" int launch_{0}(const unsigned* dims, void** args) {{ return launch<{0}>({0}, dims, args) ? misaligned : 2; }}
'''
_GUARD_BYTES = 64
_GUARD = 0x7f  # of each byte: huge floats, which unlike NaN do not stay the same when computed with


class FakeCupy:
    """`RawModule`, and arrays that are NumPy's; new ones hold NaN and are guarded."""

    def __init__(self, folder):
        if shutil.which('g++') is None:
            pytest.skip('needs g++')
        self.folder, self.launches, self.reverse, self.guarded = folder, [], False, []
        self.cuda = types.SimpleNamespace(Device=lambda: types.SimpleNamespace(id=0),
                                          get_current_stream=lambda: types.SimpleNamespace(ptr=0))

    ascontiguousarray = staticmethod(np.ascontiguousarray)

    def empty(self, shape, dtype):
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raw = np.full(n_bytes + 3 * _GUARD_BYTES, _GUARD, np.uint8)
        start = _GUARD_BYTES + -raw.ctypes.data % _GUARD_BYTES
        raw[start:start + n_bytes] = 0xff  # NaN in all floating-point types
        self.guarded.append((raw, start, start + n_bytes))
        return raw[start:start + n_bytes].view(dtype).reshape(shape)

    def zeros(self, shape, dtype):
        return self.array(np.zeros(shape, dtype))

    def array(self, array):
        """A copy."""
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    def RawModule(self, code, options=()):
        return _Module(code, self)


def folder_of_the_run(tmp_path_factory):
    """A folder that all processes of one run of the tests share."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if 'PYTEST_XDIST_WORKER' in os.environ else folder) / 'cuda_kernels'
    folder.mkdir(exist_ok=True)
    return folder


class _Module:
    def __init__(self, code, cupy):
        kernels = re.findall(r'__global__\s+void\s+(\w+)', code)
        text = SHIM + code + ''.join(LAUNCHER.format(name) for name in kernels)
        library = cupy.folder / f'kernels_{hashlib.sha256(text.encode()).hexdigest()[:16]}.so'
        with open(library.with_suffix('.lock'), 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # pytest-xdist's other processes need the same
            if not library.exists():
                source, made = library.with_suffix('.cpp'), library.with_suffix('.o')
                source.write_text(text)
                options = '-std=c++17', '-O1', '-w', '-fPIC', '-fsanitize=alignment'
                subprocess.run(['g++', *options, '-c', '-o', made, source], check=True)
                # Without the sanitizer's library, whose one function is the source's own; as is `advance`, not libc's.
                subprocess.run(['g++', '-shared', '-Wl,-Bsymbolic', '-o', library, made], check=True)
        self.library, self.cupy = ctypes.CDLL(str(library)), cupy

    def get_function(self, name):
        launch = self.library[f'launch_{name}']

        def kernel(grid, block, args):
            self.cupy.launches.append(name)
            dims = np.array([*(*grid, 1)[:2], *(*block, 1)[:2], self.cupy.reverse], np.uint32)
            cells = [_cell(a) for a in args]
            pointers = (ctypes.c_void_p * len(cells))(*[cell.ctypes.data for cell in cells])
            fault = launch(dims.ctypes.data_as(ctypes.c_void_p), pointers)
            assert fault != 2, f'{name} never ends: a barrier not all reach'
            assert fault == 0, f'{name} reads or writes at an address that is not aligned'
            for raw, start, stop in self.cupy.guarded:
                assert (raw[:start] == _GUARD).all() and (raw[stop:] == _GUARD).all(), f'{name} writes beyond an array'
        return kernel


def _cell(argument):
    """What a kernel's parameter is copied from: a pointer for an array, unless it is one structure."""
    assert isinstance(argument, np.ndarray | np.generic), f'{argument!r} has no size of its own'
    if isinstance(argument, np.generic) or argument.dtype.fields:
        assert argument.shape == ()
        return np.asarray(argument)
    assert argument.flags.c_contiguous
    return np.array(argument.ctypes.data)
