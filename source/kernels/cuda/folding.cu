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

template <int K, int FOLDED, int TAPS>
__device__ inline void unpack(const T* __restrict__ packed, float* __restrict__ gw, int n_out, int n_in, int inputs,
                              int swap) {
    int c = blockIdx.x * blockDim.x + threadIdx.x, o = blockIdx.y;
    if (c >= n_in) return;
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

__global__ void unpack_weight_gradient(const T* __restrict__ packed, float* __restrict__ gw, int n_out, int n_in,
                                       int inputs, int swap, int kind) {
    if (kind == ONE_TAP) unpack<1, 1, PLAIN>(packed, gw, n_out, n_in, inputs, swap);
    if (kind == THREE_TAPS) unpack<3, 3, PLAIN>(packed, gw, n_out, n_in, inputs, swap);
    if (kind == FOUR_TAPS) unpack<4, 4, PLAIN>(packed, gw, n_out, n_in, inputs, swap);
    if (kind == WITH_POOLING) unpack<3, 4, POOLED>(packed, gw, n_out, n_in, inputs, swap);
    if (kind == WITH_UPSAMPLING) unpack<3, 4, UPSAMPLED>(packed, gw, n_out, n_in, inputs, swap);
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
