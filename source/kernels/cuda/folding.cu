// A block takes the pairs of OUTPUTS and INPUTS channels, a thread one pair with all its taps. Packed weights are read
// and written channel by channel; the others pass through `tile`, so that neighbouring threads meet neighbouring numbers.
#define OUTPUTS 8
#define INPUTS 32
#define MOST_TAPS 17  // of a pair in `tile`: an odd distance, so that threads meet different banks

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

struct Pairs {  // those of one block
    int n_out, n_in, swap, first_o, first_c;
};
__device__ inline Pairs pairs_of_block(int block, int n_out, int n_in, int inputs, int swap) {
    int across = (inputs + INPUTS - 1) / INPUTS;
    return {n_out, n_in, swap, block / across * OUTPUTS, block % across * INPUTS};
}

// Number i of a block's pairs and taps, in the order of w (n_out, n_in, K, K) or with `swap` (n_in, n_out, K, K): its
// place in `tile`, and in w, or −1 where w has none.
template <int K> __device__ inline int place_in_tile(const Pairs& here, int i, long long& in_w) {
    constexpr int taps = K * K, stride = taps | 1;
    int minor = here.swap ? OUTPUTS : INPUTS, rest = i % (minor * taps), major = i / (minor * taps);
    int o = here.swap ? rest / taps : major, c = here.swap ? major : rest / taps;
    bool inside = here.first_o + o < here.n_out && here.first_c + c < here.n_in;
    long long first = here.swap ? (long long)(here.first_c + c) * here.n_out + here.first_o
                                : (long long)(here.first_o + o) * here.n_in + here.first_c;
    in_w = inside ? first * taps + rest : -1;
    return (o * INPUTS + c) * stride + i % taps;
}

// Packed (outputs, FOLDED, FOLDED, inputs), of w with K taps on each axis.
template <int K, int FOLDED, int TAPS>
__device__ inline void pack(const Job& job, const Pairs& here, int thread, float* tile) {
    constexpr int stride = K * K | 1;
    for (int i = thread; i < OUTPUTS * INPUTS * K * K; i += 256) {
        long long in_w;
        int place = place_in_tile<K>(here, i, in_w);
        tile[place] = in_w < 0 ? 0 : job.w[in_w];
    }
    __syncthreads();
    int o = here.first_o + thread / INPUTS, c = here.first_c + thread % INPUTS;
    if (o >= job.outputs || c >= job.inputs) return;
    const float* taps = tile + thread * stride;
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

// w's gradient, of which `packed` is that of the packed weight.
template <int K, int FOLDED, int TAPS>
__device__ inline void unpack(const T* __restrict__ packed, float* __restrict__ gw, const Pairs& here, int inputs,
                              int thread, float* tile) {
    constexpr int stride = K * K | 1;
    int o = here.first_o + thread / INPUTS, c = here.first_c + thread % INPUTS;
    if (o < here.n_out && c < here.n_in) {
        const T* source = packed + (size_t)o * FOLDED * FOLDED * inputs + c;
        float taps[FOLDED * FOLDED];
#pragma unroll
        for (int i = 0; i < FOLDED * FOLDED; ++i) taps[i] = to_float(source[i * (size_t)inputs]);
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
                tile[thread * stride + i * K + j] = sum;
            }
    }
    __syncthreads();
    for (int i = thread; i < OUTPUTS * INPUTS * K * K; i += 256) {
        long long in_w;
        int place = place_in_tile<K>(here, i, in_w);
        if (in_w >= 0) gw[in_w] = tile[place];
    }
}

// y = the sum of x (rows, channels) over its rows; blockIdx.x is the part of the rows, blockIdx.y the tile of channels.
__device__ inline void sum_channels(const T* __restrict__ x, float* partial, unsigned* counters, float* y, int rows,
                                    int channels, int rows_per_block) {
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    float sum[VEC] = {};
    if (c < channels) {
        int end = min(rows, (int)(blockIdx.x + 1) * rows_per_block);
#pragma unroll 8
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

    double total[1];
    sum_partials<1>(partial, gridDim.x, channels, total);
    if (has_channel(channels)) y[channel_of_thread()] = total[0];
}

// How many taps an axis has, or what is folded into 3.
enum Kind { ONE_TAP = 1, THREE_TAPS = 3, FOUR_TAPS = 4, WITH_POOLING = 5, WITH_UPSAMPLING = 6 };

extern "C" {

__global__ void pack_weights(const __grid_constant__ Jobs jobs) {
    __shared__ float tile[OUTPUTS * INPUTS * MOST_TAPS];
    const Job& job = jobs.job[job_of_block(jobs)];
    Pairs here = pairs_of_block(blockIdx.x - job.first_block, job.n_out, job.n_in, job.inputs, job.swap);
    if (job.kind == ONE_TAP) pack<1, 1, PLAIN>(job, here, threadIdx.x, tile);
    if (job.kind == THREE_TAPS) pack<3, 3, PLAIN>(job, here, threadIdx.x, tile);
    if (job.kind == FOUR_TAPS) pack<4, 4, PLAIN>(job, here, threadIdx.x, tile);
    if (job.kind == WITH_POOLING) pack<3, 4, POOLED>(job, here, threadIdx.x, tile);
    if (job.kind == WITH_UPSAMPLING) pack<3, 4, UPSAMPLED>(job, here, threadIdx.x, tile);
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
    __shared__ float tile[OUTPUTS * INPUTS * MOST_TAPS];
    int block = (blockIdx.y - tiles) * gridDim.x + blockIdx.x, thread = threadIdx.y * blockDim.x + threadIdx.x;
    Pairs here = pairs_of_block(block, n_out, n_in, n_in, swap);
    if (here.first_o >= n_out) return;
    if (kind == ONE_TAP) unpack<1, 1, PLAIN>(packed, gw, here, inputs, thread, tile);
    if (kind == THREE_TAPS) unpack<3, 3, PLAIN>(packed, gw, here, inputs, thread, tile);
    if (kind == FOUR_TAPS) unpack<4, 4, PLAIN>(packed, gw, here, inputs, thread, tile);
    if (kind == WITH_POOLING) unpack<3, 4, POOLED>(packed, gw, here, inputs, thread, tile);
    if (kind == WITH_UPSAMPLING) unpack<3, 4, UPSAMPLED>(packed, gw, here, inputs, thread, tile);
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
