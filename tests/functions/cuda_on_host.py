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
#include <string.h>
#include <ucontext.h>
#include <algorithm>
#include <utility>
#include <vector>
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
template <class To, class From> static To bits_of(From x) {
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
}
static float __uint_as_float(unsigned x) { return bits_of<float>(x); }
static unsigned __float_as_uint(float x) { return bits_of<unsigned>(x); }
static int __ffs(unsigned x) { return __builtin_ffs(x); }
template <class S> static S __ldcg(const S* p) { return *p; }
static void __threadfence() {}
static long long clock64() {
    static long long cycles;
    return cycles += 1 << 20;
}
static unsigned atomicInc(unsigned* p, unsigned most) {
    unsigned old = *p;
    *p = old >= most ? 0 : old + 1;
    return old;
}
struct Dim3 { unsigned x, y, z; };
static Dim3 threadIdx, blockIdx, blockDim, gridDim;
enum State { READY, AT_WARP, AT_BLOCK, DONE };
static std::vector<State> states;
static std::vector<ucontext_t> fibers;
static std::vector<double> exchanged[2];  // in turns, so that one barrier is enough
static std::vector<bool> turns;
static unsigned current;

// A fiber begins as a context and then jumps, as changing contexts asks the kernel twice.
struct Jump { jmp_buf at; };
static std::vector<Jump> jumps;
static std::vector<bool> started;
static Jump scheduler;
static void wait_at(State barrier) {
    states[current] = barrier;
    if (!_setjmp(jumps[current].at)) _longjmp(scheduler.at, 1);
}
static __attribute__((noinline)) void resume() {
    if (_setjmp(scheduler.at)) return;
    if (started[current]) _longjmp(jumps[current].at, 1);
    started[current] = true;
    setcontext(&fibers[current]);
}
static void __syncthreads() { wait_at(AT_BLOCK); }
static const double* exchange(double value) {
    std::vector<double>& values = exchanged[turns[current]];
    turns[current] = !turns[current];
    values[current] = value;
    wait_at(AT_WARP);
    return values.data();
}
template <class S> static S __shfl_down_sync(unsigned, S value, unsigned offset) {
    const double* values = exchange(value);
    return current % 32 + offset < 32 ? S(values[current + offset]) : value;
}
template <class S> static S __shfl_xor_sync(unsigned, S value, unsigned mask) {
    return S(exchange(value)[current ^ mask]);
}
static unsigned __ballot_sync(unsigned, bool mine) {
    const double* values = exchange(mine);
    unsigned result = 0, warp = current / 32 * 32;
    for (unsigned i = 0; i < 32 && warp + i < states.size(); ++i) result |= unsigned(values[warp + i] != 0) << i;
    return result;
}
static bool release(unsigned begin, unsigned end, State barrier) {
    bool waiting = false;
    for (unsigned i = begin; i < end; ++i) {
        if (states[i] != barrier && states[i] != DONE) return false;
        waiting |= states[i] == barrier;
    }
    if (waiting)
        for (unsigned i = begin; i < end; ++i)
            if (states[i] == barrier) states[i] = READY;
    return waiting;
}
static void (*body)();
static void run_fiber() {
    body();
    states[current] = DONE;
    _longjmp(scheduler.at, 1);
}
static std::vector<std::vector<char>> stacks;
static bool reverse;
static bool run_block() {
    unsigned n = blockDim.x * blockDim.y * blockDim.z;
    while (stacks.size() < n) stacks.emplace_back(1 << 15);
    states.assign(n, READY);
    fibers.resize(n);
    jumps.resize(n);
    started.assign(n, false);
    for (auto& values : exchanged) values.assign(n, 0);
    turns.assign(n, false);
    for (unsigned i = 0; i < n; ++i) {
        getcontext(&fibers[i]);
        fibers[i].uc_stack.ss_sp = stacks[i].data();
        fibers[i].uc_stack.ss_size = stacks[i].size();
        makecontext(&fibers[i], run_fiber, 0);
    }
    for (;;) {
        bool progress = false;
        for (unsigned turn = 0; turn < n; ++turn) {
            current = reverse ? n - 1 - turn : turn;
            if (states[current] == READY) {
                progress = true;
                unsigned row = current / blockDim.x;
                threadIdx = {current % blockDim.x, row % blockDim.y, row / blockDim.y};
                resume();
            }
        }
        for (unsigned warp = 0; warp < n; warp += 32) progress |= release(warp, warp + 32 < n ? warp + 32 : n, AT_WARP);
        progress |= release(0, n, AT_BLOCK);
        if (!progress) break;
    }
    for (State state : states)
        if (state != DONE) return false;
    return true;
}
static bool misaligned;
// What the compiler calls where an address is no multiple of its type's alignment; a GPU would stop there.
extern "C" void __ubsan_handle_type_mismatch_v1(void*, void*) { misaligned = true; }
static void** arguments;
template <auto kernel, class... A, size_t... I> static void call(void (*)(A...), std::index_sequence<I...>) {
    body = [] { kernel(*static_cast<A*>(arguments[I])...); };
}
template <auto kernel, class... A> static bool launch(void (*k)(A...), const unsigned* dims, void** args) {
    gridDim = {dims[0], dims[1], dims[2]};
    blockDim = {dims[3], dims[4], dims[5]};
    arguments = args;
    call<kernel>(k, std::index_sequence_for<A...>());
    reverse = dims[6];
    misaligned = false;
    size_t n = (size_t)gridDim.x * gridDim.y * gridDim.z;
    for (size_t i = 0; i < n; ++i) {
        size_t block = reverse ? n - 1 - i : i, row = block / gridDim.x;
        blockIdx = {unsigned(block % gridDim.x), unsigned(row % gridDim.y), unsigned(row / gridDim.y)};
        if (!run_block()) return false;
    }
    return true;
}
'''
LAUNCHER = r'''
extern "C" int launch_{0}(const unsigned* dims, void** args) {{
    return launch<{0}>({0}, dims, args) ? misaligned : 2;
}}
'''


_GUARD_BYTES = 64
_GUARD = 0x7f  # of each byte: huge floats, which unlike NaN do not stay the same when computed with


class FakeCupy:
    """`RawModule`, and arrays that are NumPy's; new ones hold NaN and are guarded."""

    def __init__(self, folder):
        if shutil.which('g++') is None:
            pytest.skip('needs g++')
        self.folder, self.launches, self.reverse, self._guarded = folder, [], False, []
        self.cuda = types.SimpleNamespace(Device=lambda: types.SimpleNamespace(id=0),
                                          get_current_stream=lambda: types.SimpleNamespace(ptr=0))

    ascontiguousarray = staticmethod(np.ascontiguousarray)

    def empty(self, shape, dtype):
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raw = np.full(n_bytes + 3 * _GUARD_BYTES, _GUARD, np.uint8)
        start = _GUARD_BYTES + -raw.ctypes.data % _GUARD_BYTES
        raw[start:start + n_bytes] = 0xff  # NaN in all floating-point types
        self._guarded.append((raw, start, start + n_bytes))
        return raw[start:start + n_bytes].view(dtype).reshape(shape)

    def zeros(self, shape, dtype):
        array = self.empty(shape, dtype)
        array[...] = 0
        return array

    def array(self, array):
        """A guarded copy."""
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    def check_guards(self):
        for raw, start, stop in self._guarded:
            assert (raw[:start] == _GUARD).all() and (raw[stop:] == _GUARD).all(), 'written beyond an array'

    def forget_arrays(self):
        self._guarded.clear()

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
                self._compile(text, library)
        self.library, self.cupy = ctypes.CDLL(str(library)), cupy

    @staticmethod
    def _compile(text, library):
        source, made = library.with_suffix('.cpp'), library.with_suffix('.o')
        source.write_text(text)
        # Linked without the sanitizer's library, whose one function is the source's own; as is `advance`, not libc's.
        options = '-std=c++17', '-O1', '-w', '-fPIC', '-fsanitize=alignment'
        subprocess.run(['g++', *options, '-c', '-o', made, source], check=True)
        subprocess.run(['g++', '-shared', '-Wl,-Bsymbolic', '-o', library, made], check=True)

    def get_function(self, name):
        launch = self.library[f'launch_{name}']

        def kernel(grid, block, args):
            self.cupy.launches.append(name)
            dims = np.array([*grid, *[1] * (3 - len(grid)), *block, *[1] * (3 - len(block)), self.cupy.reverse],
                            np.uint32)
            cells = [_cell(a) for a in args]
            pointers = (ctypes.c_void_p * len(cells))(*[cell.ctypes.data for cell in cells])
            fault = launch(dims.ctypes.data_as(ctypes.c_void_p), pointers)
            assert fault != 2, f'{name} never ends: a barrier not all reach'
            assert fault == 0, f'{name} reads or writes at an address that is not aligned'
            self.cupy.check_guards()
        return kernel


def _cell(argument):
    """What a kernel's parameter is copied from: a pointer for an array, unless it is one structure."""
    if not isinstance(argument, np.ndarray):
        assert isinstance(argument, np.generic), f'{argument!r} has no size of its own'
        return np.array(argument)
    if argument.dtype.fields:
        assert argument.shape == ()
        return argument
    assert argument.flags.c_contiguous
    return np.array(argument.ctypes.data)
