"""Power iteration on one matrix (eq. 18): plain NumPy, and three CuPy launches that never wait for the host."""
import math

import numpy as np

EPS = 1e-12


def power_iteration(W, u, Ip=1):
    """Runs Ip rounds v = W^T u / |W^T u|, u = W v / |W v|.

    W (d_out, d_in) and u (1, d_out) are NumPy or CuPy arrays. Returns new arrays u (1, d_out) and v (1, d_in), and
    sigma = u W v^T, a scalar or a 0-dimensional array, which is the last norm divided by.
    """
    if isinstance(W, np.ndarray):
        return _power_iteration_numpy(W, u, Ip)
    return _power_iteration_cupy(W, u, Ip)


def _power_iteration_numpy(W, u, Ip):
    for _ in range(Ip):
        v, _ = _l2normalize(u @ W)
        u, sigma = _l2normalize(v @ W.T)
    return u, v, W.dtype.type(sigma)


def _l2normalize(x):
    norm = math.sqrt(float(np.vdot(x, x)))
    return x / (norm + EPS), norm


# One thread block adds up a strip of columns; a warp adds up a row; sums run in a fixed order, so that the same input
# gives the same bits. Norms come last, in one block: u = s / |s| and v = t / |t| with t = W^T u and s = W t.
CUDA_SOURCE = r'''
extern "C" {

__global__ void columns_dot(const T* W, const T* u, T* t, int d_out, int d_in) {
    __shared__ T partial[8][32];
    int column = blockIdx.x * 32 + threadIdx.x;
    T sum = 0;
    if (column < d_in)
        for (int row = threadIdx.y; row < d_out; row += 8) sum += W[(size_t)row * d_in + column] * u[row];
    partial[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < d_in) {
        for (int i = 1; i < 8; ++i) sum += partial[i][threadIdx.x];
        t[column] = sum;
    }
}

__global__ void rows_dot(const T* W, const T* t, T* s, int d_out, int d_in) {
    int row = blockIdx.x * 8 + threadIdx.y;
    if (row >= d_out) return;
    T sum = 0;
    for (int column = threadIdx.x; column < d_in; column += 32) sum += W[(size_t)row * d_in + column] * t[column];
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x == 0) s[row] = sum;
}

__device__ T block_norm(const T* x, int n, T* partial) {
    T sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) sum += x[i] * x[i];
    partial[threadIdx.x] = sum;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        __syncthreads();
    }
    T total = partial[0];
    __syncthreads();
    return sqrt(total);
}

__global__ void normalize(const T* t, const T* s, T* v, T* u, T* sigma, int d_out, int d_in, T eps) {
    __shared__ T partial[256];
    T norm_t = block_norm(t, d_in, partial) + eps;
    T norm_s = block_norm(s, d_out, partial);
    if (threadIdx.x == 0) *sigma = norm_s / norm_t;
    norm_s += eps * norm_t;
    for (int i = threadIdx.x; i < d_in; i += blockDim.x) v[i] = t[i] / norm_t;
    for (int i = threadIdx.x; i < d_out; i += blockDim.x) u[i] = s[i] / norm_s;
}

}
'''
C_TYPES = {'f': 'float', 'd': 'double'}
_modules = {}


def cuda_source(dtype):
    try:
        c_type = C_TYPES[np.dtype(dtype).char]
    except KeyError:
        raise TypeError(f'power iteration runs in float32 or float64 on a GPU, not {np.dtype(dtype)}') from None
    return f'typedef {c_type} T;\n{CUDA_SOURCE}'


def _power_iteration_cupy(W, u, Ip):
    import cupy
    dtype = W.dtype
    if dtype not in _modules:
        _modules[dtype] = cupy.RawModule(code=cuda_source(dtype))
    columns_dot, rows_dot, normalize = map(_modules[dtype].get_function, ('columns_dot', 'rows_dot', 'normalize'))
    W = cupy.ascontiguousarray(W)
    d_out, d_in = map(np.int32, W.shape)
    u = cupy.ascontiguousarray(u, dtype=dtype).reshape(1, -1)
    sigma = cupy.empty((), dtype)
    for _ in range(Ip):
        t, v = cupy.empty((2, 1, int(d_in)), dtype)
        s, u_next = cupy.empty((2, 1, int(d_out)), dtype)
        columns_dot((-(-int(d_in) // 32),), (32, 8), (W, u, t, d_out, d_in))
        rows_dot((-(-int(d_out) // 8),), (32, 8), (W, t, s, d_out, d_in))
        normalize((1,), (256,), (t, s, v, u_next, sigma, d_out, d_in, dtype.type(EPS)))
        u = u_next
    return u, v, sigma
