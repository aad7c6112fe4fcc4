// Sums over rows of (rows, channels) arrays, for blocks of (along channels, along rows) 256 threads.

// The sum over threadIdx.y, in the threads with threadIdx.y == 0.
__device__ inline void sum_over_y(float* a) {
    __shared__ float sums[256 * VEC];
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int k = 0; k < VEC; ++k) sums[k * 256 + thread] = a[k];
    for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half)
#pragma unroll
            for (int k = 0; k < VEC; ++k) sums[k * 256 + thread] += sums[k * 256 + thread + half * blockDim.x];
    }
#pragma unroll
    for (int k = 0; k < VEC; ++k) a[k] = sums[k * 256 + thread];
    __syncthreads();
}

// For the last block of a tile of channels: sums of partial (n, N, channels) over n, those of channel_of_thread() in
// `sums`; n is shared by threadIdx.y.
__device__ inline int channel_of_thread() {
    return blockIdx.y * blockDim.x * VEC + threadIdx.y * blockDim.x + threadIdx.x;
}
__device__ inline bool has_channel(int channels) {
    return threadIdx.y * blockDim.x + threadIdx.x < blockDim.x * VEC && channel_of_thread() < channels;
}
template <int N> __device__ inline void sum_partials(const float* partial, int n, int channels, double* sums) {
    __shared__ double shares[256 * VEC];
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC, width = blockDim.x * VEC;
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
    double share[N][VEC] = {};
    if (c < channels)
#pragma unroll 8
        for (int i = threadIdx.y; i < n; i += blockDim.y)
#pragma unroll
            for (int k = 0; k < N; ++k) {
                float a[VEC];
                load_others(partial + ((size_t)N * i + k) * channels + c, a);
#pragma unroll
                for (int m = 0; m < VEC; ++m) share[k][m] += a[m];
            }
#pragma unroll
    for (int k = 0; k < N; ++k) {
#pragma unroll
        for (int m = 0; m < VEC; ++m) shares[threadIdx.y * width + threadIdx.x * VEC + m] = share[k][m];
        __syncthreads();
        sums[k] = 0;
        if (thread < width)
            for (int y = 0; y < (int)blockDim.y; ++y) sums[k] += shares[y * width + thread];
        __syncthreads();
    }
}
