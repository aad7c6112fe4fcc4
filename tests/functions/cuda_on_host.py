"""Runs CUDA C kernels on the CPU, one fiber a thread, behind the few names of CuPy that launching them takes.

It checks indices, sums and barriers: a fiber runs until it must wait, so that a missing barrier shows at once.
"""
import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest

SHIM = r'''
#include <math.h>
#include <stddef.h>
#include <ucontext.h>
#include <utility>
#include <vector>
#define __global__
#define __device__
#define __shared__ static
struct Dim3 { unsigned x, y, z; };
static Dim3 threadIdx, blockIdx, blockDim, gridDim;
enum State { READY, AT_WARP, AT_BLOCK, DONE };
static std::vector<State> states;
static std::vector<ucontext_t> fibers;
static std::vector<double> lanes;
static ucontext_t scheduler;
static unsigned current;

static void wait_at(State barrier) {
    states[current] = barrier;
    swapcontext(&fibers[current], &scheduler);
}
static void __syncthreads() { wait_at(AT_BLOCK); }
template <class S> static S __shfl_down_sync(unsigned, S value, unsigned offset) {
    lanes[current] = value;
    wait_at(AT_WARP);
    S result = current % 32 + offset < 32 ? S(lanes[current + offset]) : value;
    wait_at(AT_WARP);
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
}
static bool run_block() {
    unsigned n = blockDim.x * blockDim.y * blockDim.z;
    std::vector<std::vector<char>> stacks(n, std::vector<char>(1 << 15));
    states.assign(n, READY);
    fibers.resize(n);
    lanes.resize(n);
    for (unsigned i = 0; i < n; ++i) {
        getcontext(&fibers[i]);
        fibers[i].uc_stack.ss_sp = stacks[i].data();
        fibers[i].uc_stack.ss_size = stacks[i].size();
        fibers[i].uc_link = &scheduler;
        makecontext(&fibers[i], run_fiber, 0);
    }
    for (;;) {
        bool progress = false;
        for (current = 0; current < n; ++current)
            if (states[current] == READY) {
                progress = true;
                unsigned row = current / blockDim.x;
                threadIdx = {current % blockDim.x, row % blockDim.y, row / blockDim.y};
                swapcontext(&scheduler, &fibers[current]);
            }
        for (unsigned warp = 0; warp < n; warp += 32) progress |= release(warp, warp + 32 < n ? warp + 32 : n, AT_WARP);
        progress |= release(0, n, AT_BLOCK);
        if (!progress) break;
    }
    for (State state : states)
        if (state != DONE) return false;
    return true;
}
static void** arguments;
template <auto kernel, class... A, size_t... I> static void call(void (*)(A...), std::index_sequence<I...>) {
    body = [] { kernel(*static_cast<A*>(arguments[I])...); };
}
template <auto kernel, class... A> static bool launch(void (*k)(A...), const unsigned* dims, void** args) {
    gridDim = {dims[0], dims[1], dims[2]};
    blockDim = {dims[3], dims[4], dims[5]};
    arguments = args;
    call<kernel>(k, std::index_sequence_for<A...>());
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x)
                if (!run_block()) return false;
    return true;
}
'''
LAUNCHER = r'''
extern "C" bool launch_{0}(const unsigned* dims, void** args) {{ return launch<{0}>({0}, dims, args); }}
'''


class FakeCupy:
    """`RawModule`, and arrays that are NumPy's; new ones hold NaN."""

    def __init__(self, folder):
        if shutil.which('g++') is None:
            pytest.skip('needs g++')
        self.folder, self.launches = folder, []

    ascontiguousarray = staticmethod(np.ascontiguousarray)

    @staticmethod
    def empty(shape, dtype):
        return np.full(shape, np.nan, dtype)

    def RawModule(self, code):
        return _Module(code, self.folder, self.launches)


class _Module:
    def __init__(self, code, folder, launches):
        source = folder / f'kernels_{abs(hash(code))}.cpp'
        kernels = re.findall(r'__global__\s+void\s+(\w+)', code)
        source.write_text(SHIM + code + ''.join(LAUNCHER.format(name) for name in kernels))
        library = source.with_suffix('.so')
        subprocess.run(['g++', '-std=c++17', '-O1', '-shared', '-fPIC', '-o', library, source], check=True)
        self.library, self.launches = ctypes.CDLL(str(library)), launches

    def get_function(self, name):
        launch = self.library[f'launch_{name}']
        launch.restype = ctypes.c_bool

        def kernel(grid, block, args):
            self.launches.append(name)
            dims = np.array([*grid, *[1] * (3 - len(grid)), *block, *[1] * (3 - len(block))], np.uint32)
            cells = [np.array(a.ctypes.data if isinstance(a, np.ndarray) else a) for a in args]
            assert all(a.flags.c_contiguous for a in args if isinstance(a, np.ndarray))
            pointers = (ctypes.c_void_p * len(cells))(*[cell.ctypes.data for cell in cells])
            assert launch(dims.ctypes.data_as(ctypes.c_void_p), pointers), f'{name} never ends: a barrier not all reach'
        return kernel
