// A thread takes one pair of channels with all its taps: weights are read tap by tap, packed ones channel by channel.

struct Job {
    const float* w;
    T* packed;
    int n_out, n_in, outputs, inputs, swap, kind, first_block;  // channels of w, and of what is packed
};
struct Jobs {
    Job job[JOBS];
    int n;
};

enum Taps { PLAIN, POOLED, UPSAMPLED };

template <int TAPS> __device__ inline float tap(int a, int i) {
    const float pooled[4][3] = {{.5f, 0, 0}, {.5f, .5f, 0}, {0, .5f, .5f}, {0, 0, .5f}};
    const float upsampled[4][3] = {{0, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 0}};
    return TAPS == POOLED ? pooled[a][i] : upsampled[a][i];
}

// Channels o and c of packed (outputs, FOLDED, FOLDED, inputs), of w with K taps on each axis.
template <int K, int FOLDED, int TAPS> __device__ inline void pack(const Job& job, int o, int c) {
    float taps[K * K] = {};
    if (o < job.n_out && c < job.n_in) {
        const float* source = job.w + (job.swap ? (size_t)c * job.n_out + o : (size_t)o * job.n_in + c) * (K * K);
#pragma unroll
        for (int i = 0; i < K * K; ++i) taps[i] = source[i];
    }
    T* target = job.packed + (size_t)o * FOLDED * FOLDED * job.inputs + c;
#pragma unroll
    for (int a = 0; a < FOLDED; ++a)
#pragma unroll
        for (int b = 0; b < FOLDED; ++b) {
            float sum = 0;
            if (TAPS == PLAIN) {
                sum = taps[a * K + b];
            } else {
#pragma unroll
                for (int i = 0; i < K; ++i)
#pragma unroll
                    for (int j = 0; j < K; ++j)
                        if (tap<TAPS>(a, i) != 0 && tap<TAPS>(b, j) != 0)
                            sum += tap<TAPS>(a, i) * tap<TAPS>(b, j) * taps[i * K + j];
            }
            target[(a * FOLDED + b) * (size_t)job.inputs] = from_float(sum);
        }
}

// The same channels of w's gradient, of which `packed` is that of the packed weight.
template <int K, int FOLDED, int TAPS>
__device__ inline void unpack(const T* __restrict__ packed, float* __restrict__ gw, int n_out, int n_in, int inputs,
                              int swap, int o, int c) {
    const T* source = packed + (size_t)o * FOLDED * FOLDED * inputs + c;
    float taps[FOLDED * FOLDED];
#pragma unroll
    for (int i = 0; i < FOLDED * FOLDED; ++i) taps[i] = to_float(source[i * (size_t)inputs]);
    float* target = gw + (swap ? (size_t)c * n_out + o : (size_t)o * n_in + c) * (K * K);
#pragma unroll
    for (int i = 0; i < K; ++i)
#pragma unroll
        for (int j = 0; j < K; ++j) {
            float sum = 0;
            if (TAPS == PLAIN) {
                sum = taps[i * FOLDED + j];
            } else {
#pragma unroll
                for (int a = 0; a < FOLDED; ++a)
#pragma unroll
                    for (int b = 0; b < FOLDED; ++b)
                        if (tap<TAPS>(a, i) != 0 && tap<TAPS>(b, j) != 0)
                            sum += tap<TAPS>(a, i) * tap<TAPS>(b, j) * taps[a * FOLDED + b];
            }
            target[i * K + j] = sum;
        }
}

// y = the sum of x (rows, channels) over its rows; blockIdx.x is the part of the rows, blockIdx.y the tile of channels.
__device__ inline void sum_channels(const T* __restrict__ x, float* partial, unsigned* counters, float* y, int rows,
                                    int channels, int rows_per_block) {
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    float sum[VEC] = {};
    if (c < channels) {
        int end = min(rows, (int)(blockIdx.x + 1) * rows_per_block);
#pragma unroll 4
        for (int row = blockIdx.x * rows_per_block + threadIdx.y; row < end; row += blockDim.y) {
            float a[VEC];
            load(x + (size_t)row * channels + c, a);
#pragma unroll
            for (int k = 0; k < VEC; ++k) sum[k] += a[k];
        }
    }
    sum_over_y(sum);
    if (threadIdx.y == 0 && c < channels) store_floats(partial + (size_t)blockIdx.x * channels + c, sum);
    if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;

    Share share = share_of_tile(channels);
    double total[1] = {};
    if (share.used)
#pragma unroll 16
        for (int i = share.first; i < (int)gridDim.x; i += share.step)
            total[0] += __ldcg(partial + (size_t)i * channels + share.channel);
    sum_over_shares<1>(total);
    if (share.used && share.first == 0) y[share.channel] = total[0];
}

// How many taps an axis has, or what is folded into 3.
enum Kind { ONE_TAP = 1, THREE_TAPS = 3, FOUR_TAPS = 4, WITH_POOLING = 5, WITH_UPSAMPLING = 6 };

extern "C" {

// A job has as many blocks as reach across the inputs of each output.
__global__ void pack_weights(const __grid_constant__ Jobs jobs) {
    const Job& job = jobs.job[job_of_block(jobs)];
    int block = blockIdx.x - job.first_block, across = (job.inputs + blockDim.x - 1) / blockDim.x;
    int o = block / across, c = block % across * blockDim.x + threadIdx.x;
    if (c >= job.inputs) return;
    if (job.kind == ONE_TAP) pack<1, 1, PLAIN>(job, o, c);
    if (job.kind == THREE_TAPS) pack<3, 3, PLAIN>(job, o, c);
    if (job.kind == FOUR_TAPS) pack<4, 4, PLAIN>(job, o, c);
    if (job.kind == WITH_POOLING) pack<3, 4, POOLED>(job, o, c);
    if (job.kind == WITH_UPSAMPLING) pack<3, 4, UPSAMPLED>(job, o, c);
}

// Ends a convolution's gradients in one launch: blocks of the first `tiles` rows sum gy (rows, channels) over its rows,
// those of further rows unpack the weight's.
__global__ void unpack_gradients(const T* __restrict__ packed, float* __restrict__ gw, int n_out, int n_in, int inputs,
                                 int swap, int kind, const T* __restrict__ gy, float* partial, unsigned* counters,
                                 float* gb, int rows, int channels, int rows_per_block, int tiles) {
    if ((int)blockIdx.y < tiles) {
        sum_channels(gy, partial, counters, gb, rows, channels, rows_per_block);
        return;
    }
    unsigned block = (blockIdx.y - tiles) * gridDim.x + blockIdx.x;
    unsigned i = block * 256 + threadIdx.y * blockDim.x + threadIdx.x;
    if (i >= (unsigned)n_out * n_in) return;
    int o = i / n_in, c = i % n_in;
    if (kind == ONE_TAP) unpack<1, 1, PLAIN>(packed, gw, n_out, n_in, inputs, swap, o, c);
    if (kind == THREE_TAPS) unpack<3, 3, PLAIN>(packed, gw, n_out, n_in, inputs, swap, o, c);
    if (kind == FOUR_TAPS) unpack<4, 4, PLAIN>(packed, gw, n_out, n_in, inputs, swap, o, c);
    if (kind == WITH_POOLING) unpack<3, 4, POOLED>(packed, gw, n_out, n_in, inputs, swap, o, c);
    if (kind == WITH_UPSAMPLING) unpack<3, 4, UPSAMPLED>(packed, gw, n_out, n_in, inputs, swap, o, c);
}

__global__ void with_channels(const T* __restrict__ x, T* __restrict__ y, int from, int to, long long n) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int c = i % to;
    y[i] = c < from ? x[i / to * from + c] : from_float(0);
}

__global__ void add_bias(T* y, const T* __restrict__ bias, int channels, long long n) {
    long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * VEC;
    if (i >= n) return;
    int c = i % channels;
    float a[VEC], b[VEC];
    load(y + i, a);
    load(bias + c, b);
#pragma unroll
    for (int k = 0; k < VEC; ++k) a[k] += b[k];
    store(y + i, a);
}

}
