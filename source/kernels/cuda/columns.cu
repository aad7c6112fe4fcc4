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

// For the last block of a tile of channels: thread i looks after channel i % width, and of what is added up after every
// width / 256th, beginning with i / width.
struct Share {
    int channel, first, step;
    bool used;
};
__device__ inline Share share_of_tile(int channels) {
    int width = blockDim.x * VEC, thread = threadIdx.y * blockDim.x + threadIdx.x;
    int channel = blockIdx.y * width + thread % width;
    return {channel, thread / width, 256 / width, channel < channels};
}

// Sums over the threads that share a channel, in the one that comes first.
template <int N> __device__ inline void sum_over_shares(double* a) {
    __shared__ double sums[N][256];
    int width = blockDim.x * VEC, thread = threadIdx.y * blockDim.x + threadIdx.x;
    for (int n = 0; n < N; ++n) sums[n][thread] = a[n];
    __syncthreads();
    if (thread < width)
        for (int n = 0; n < N; ++n)
            for (int other = thread + width; other < 256; other += width) a[n] += sums[n][other];
}
