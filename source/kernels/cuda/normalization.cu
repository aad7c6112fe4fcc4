// What normalizes x (rows, channels) or (samples, pixels, channels). gamma and beta are read at row·stride: stride is 0
// for (C,), else C; row is the sample or, where there are labels, its label.

__device__ inline float affine(float x, float mean, float scale, float beta) { return fmaf(scale, x - mean, beta); }

// p's floats times q's.
__device__ inline void load_scaled(const float* p, const float* q, float* a) {
    float b[VEC];
    load_floats(p, a);
    load_floats(q, b);
#pragma unroll
    for (int k = 0; k < VEC; ++k) a[k] *= b[k];
}

// For the last block of a tile of channels: thread i looks after channel i % width, and of the samples after every
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

struct Place {  // of a thread: a sample, VEC channels from c on, pixels from `begin` to `end` in steps of blockDim.y
    int sample, c, begin, end;
    size_t parameter;
};
__device__ inline Place place_of_thread(const int* labels, int stride, int parts, int pixels, int channels,
                                        int pixels_per_block) {
    Place here;
    here.sample = blockIdx.x / parts;
    here.c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    int start = blockIdx.x % parts * pixels_per_block;
    here.begin = start + threadIdx.y;
    here.end = here.c < channels ? min(pixels, start + pixels_per_block) : 0;
    here.parameter = (size_t)(labels ? labels[here.sample] : here.sample) * stride + here.c;
    return here;
}

extern "C" {

// Mean and 1 / sqrt(variance + eps) of each channel; the moving averages go `rate` of the way, the mean's with a bias
// that x lacks, or null. Sums are those of x - x[0], which keep their digits where the mean is far from 0.
__global__ void statistics(const T* __restrict__ x, float* partial, unsigned* counters, float* mean, float* inv_std,
                           float* running_mean, float* running_var, const float* __restrict__ bias, int rows, int channels, int rows_per_block,
                           float eps, float rate) {
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    float first[VEC] = {}, second[VEC] = {};
    if (c < channels) {
        float shift[VEC];
        load(x + c, shift);
        int end = min(rows, (int)(blockIdx.x + 1) * rows_per_block);
#pragma unroll 8
        for (int row = blockIdx.x * rows_per_block + threadIdx.y; row < end; row += blockDim.y) {
            float a[VEC];
            load(x + (size_t)row * channels + c, a);
#pragma unroll
            for (int k = 0; k < VEC; ++k) {
                a[k] -= shift[k];
                first[k] += a[k];
                second[k] = fmaf(a[k], a[k], second[k]);
            }
        }
    }
    sum_over_y(first);
    sum_over_y(second);
    if (threadIdx.y == 0 && c < channels) {
        store_floats(partial + (size_t)2 * blockIdx.x * channels + c, first);
        store_floats(partial + ((size_t)2 * blockIdx.x + 1) * channels + c, second);
    }
    if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;

    double sums[2];
    sum_partials<2>(partial, gridDim.x, channels, sums);
    if (!has_channel(channels)) return;
    c = channel_of_thread();
    double distance = sums[0] / rows, variance = fmax(sums[1] / rows - distance * distance, 0.);
    float m = to_float(x[c]) + distance;
    mean[c] = m;
    inv_std[c] = 1 / sqrt(variance + eps);
    running_mean[c] += rate * (m + (bias ? bias[c] : 0) - running_mean[c]);
    running_var[c] += rate * (float)(variance * rows / max(rows - 1, 1) - running_var[c]);
}

// deviation is inv_std or, with `is_variance`, the variance.
__global__ void normalize(const T* __restrict__ x, T* __restrict__ y, const float* __restrict__ gamma,
                          const float* __restrict__ beta, const int* __restrict__ labels,
                          const float* __restrict__ mean, const float* __restrict__ deviation, int stride, int parts,
                          int pixels, int channels, int pixels_per_block, int is_variance, float eps, float slope) {
    Place here = place_of_thread(labels, stride, parts, pixels, channels, pixels_per_block);
    if (here.begin >= here.end) return;
    float scale[VEC], b[VEC], m[VEC], d[VEC];
    load_floats(gamma + here.parameter, scale);
    load_floats(beta + here.parameter, b);
    load_floats(mean + here.c, m);
    load_floats(deviation + here.c, d);
#pragma unroll
    for (int k = 0; k < VEC; ++k) scale[k] *= is_variance ? 1 / sqrtf(d[k] + eps) : d[k];
    size_t sample = (size_t)here.sample * pixels;
#pragma unroll 4
    for (int p = here.begin; p < here.end; p += blockDim.y) {
        size_t at = (sample + p) * channels + here.c;
        float a[VEC];
        load(x + at, a);
#pragma unroll
        for (int k = 0; k < VEC; ++k) a[k] = activated(affine(a[k], m[k], scale[k], b[k]), slope);
        store(y + at, a);
    }
}

__global__ void scale_shift(const T* __restrict__ x, T* __restrict__ y, const float* __restrict__ scale,
                            const float* __restrict__ shift, int stride, int parts, int pixels, int channels,
                            int pixels_per_block, float slope) {
    Place here = place_of_thread(0, stride, parts, pixels, channels, pixels_per_block);
    if (here.begin >= here.end) return;
    float s[VEC], b[VEC];
    load_floats(scale + here.parameter, s);
    load_floats(shift + here.parameter, b);
    size_t sample = (size_t)here.sample * pixels;
#pragma unroll 4
    for (int p = here.begin; p < here.end; p += blockDim.y) {
        size_t at = (sample + p) * channels + here.c;
        float a[VEC];
        load(x + at, a);
#pragma unroll
        for (int k = 0; k < VEC; ++k) a[k] = activated(fmaf(s[k], a[k], b[k]), slope);
        store(y + at, a);
    }
}

// With g, gy through the activation: its sums, and those of g·x̂, over the pixels of each sample, in `parts` parts. The
// last block of a tile adds up ggamma and gbeta (but for labels, which `table_gradients` serves) and the means over the
// batch of gamma·g and gamma·g·x̂. With a fourth block 8 values at once would spill registers.
__launch_bounds__(256, VEC == 8 ? 3 : 4) __global__
void gradient_sums(const T* __restrict__ x, const T* __restrict__ gy, const float* __restrict__ gamma,
                   const float* __restrict__ beta, const int* __restrict__ labels, const float* __restrict__ mean,
                   const float* __restrict__ inv_std, float* partial, unsigned* counters, float* means,
                   float* ggamma, float* gbeta, int stride, int parts, int samples, int pixels, int channels,
                   int pixels_per_block, float slope) {
    Place here = place_of_thread(labels, stride, parts, pixels, channels, pixels_per_block);
    float of_g[VEC] = {}, of_g_x[VEC] = {};
    if (here.c < channels) {
        float scale[VEC], b[VEC], m[VEC];
        load_scaled(gamma + here.parameter, inv_std + here.c, scale);
        load_floats(beta + here.parameter, b);
        load_floats(mean + here.c, m);
        size_t sample = (size_t)here.sample * pixels;
#pragma unroll 2
        for (int p = here.begin; p < here.end; p += blockDim.y) {
            size_t at = (sample + p) * channels + here.c;
            float a[VEC], g[VEC];
            load(x + at, a);
            load(gy + at, g);
#pragma unroll
            for (int k = 0; k < VEC; ++k) {
                if (!(affine(a[k], m[k], scale[k], b[k]) > 0)) g[k] *= slope;
                of_g[k] += g[k];
                of_g_x[k] = fmaf(g[k], a[k] - m[k], of_g_x[k]);
            }
        }
        float d[VEC];
        load_floats(inv_std + here.c, d);
#pragma unroll
        for (int k = 0; k < VEC; ++k) of_g_x[k] *= d[k];
    }
    sum_over_y(of_g);
    sum_over_y(of_g_x);
    if (threadIdx.y == 0 && here.c < channels) {
        store_floats(partial + (size_t)2 * blockIdx.x * channels + here.c, of_g);
        store_floats(partial + ((size_t)2 * blockIdx.x + 1) * channels + here.c, of_g_x);
    }
    if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;

    Share share = share_of_tile(channels);
    double sums[4] = {};
    int c = share.channel;
    if (share.used)
        for (int sample = share.first; sample < samples; sample += share.step) {
            double g = 0, g_x = 0;
#pragma unroll 4
            for (int i = sample * parts; i < (sample + 1) * parts; ++i) {
                g += __ldcg(partial + (size_t)2 * i * channels + c);
                g_x += __ldcg(partial + ((size_t)2 * i + 1) * channels + c);
            }
            double factor = gamma[(size_t)(labels ? labels[sample] : sample) * stride + c];
            sums[0] += factor * g;
            sums[1] += factor * g_x;
            sums[2] += g;
            sums[3] += g_x;
            if (stride && !labels) {
                gbeta[(size_t)sample * channels + c] = g;
                ggamma[(size_t)sample * channels + c] = g_x;
            }
        }
    sum_over_shares<4>(sums);
    if (!share.used || share.first > 0) return;
    double n = (double)samples * pixels;
    means[c] = sums[0] / n;
    means[channels + c] = sums[1] / n;
    if (!stride) {
        gbeta[c] = sums[2];
        ggamma[c] = sums[3];
    }
}

// gx = inv_std·(gamma·g − mean(gamma·g) − x̂·mean(gamma·g·x̂)).
__global__ void gradient(const T* __restrict__ x, const T* __restrict__ gy, T* __restrict__ gx,
                         const float* __restrict__ gamma, const float* __restrict__ beta,
                         const int* __restrict__ labels, const float* __restrict__ mean,
                         const float* __restrict__ inv_std, const float* __restrict__ means, int stride, int parts,
                         int pixels, int channels, int pixels_per_block, float slope) {
    Place here = place_of_thread(labels, stride, parts, pixels, channels, pixels_per_block);
    if (here.begin >= here.end) return;
    float scale[VEC], b[VEC], m[VEC], d[VEC], constant[VEC], of_x[VEC];
    load_floats(gamma + here.parameter, scale);
    load_floats(beta + here.parameter, b);
    load_floats(mean + here.c, m);
    load_floats(inv_std + here.c, d);
    load_floats(means + here.c, constant);
    load_floats(means + channels + here.c, of_x);
#pragma unroll
    for (int k = 0; k < VEC; ++k) {
        scale[k] *= d[k];
        constant[k] *= d[k];
        of_x[k] *= d[k] * d[k];
    }
    size_t sample = (size_t)here.sample * pixels;
#pragma unroll 2
    for (int p = here.begin; p < here.end; p += blockDim.y) {
        size_t at = (sample + p) * channels + here.c;
        float a[VEC], g[VEC];
        load(x + at, a);
        load(gy + at, g);
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            if (!(affine(a[k], m[k], scale[k], b[k]) > 0)) g[k] *= slope;
            g[k] = fmaf(scale[k], g[k], -constant[k]) - (a[k] - m[k]) * of_x[k];
        }
        store(gx + at, g);
    }
}

// blockIdx.x is a category: the sums of `gradient_sums` over the samples with that label, in their order.
__global__ void table_gradients(const float* __restrict__ partial, const int* __restrict__ labels,
                                float* __restrict__ ggammas, float* __restrict__ gbetas, int parts, int samples,
                                int channels) {
    int thread = threadIdx.y * blockDim.x + threadIdx.x, c = blockIdx.y * 256 + thread;
    float g = 0, g_x = 0;
    for (int first = 0; first < samples; first += 32) {
        int sample = first + thread % 32;
        unsigned mine = __ballot_sync(0xffffffffu, sample < samples && labels[sample] == (int)blockIdx.x);
        for (; mine; mine &= mine - 1) {
            int begin = (first + __ffs(mine) - 1) * parts;
            if (c < channels)
                for (int i = begin; i < begin + parts; ++i) {
                    g += partial[(size_t)2 * i * channels + c];
                    g_x += partial[((size_t)2 * i + 1) * channels + c];
                }
        }
    }
    if (c >= channels) return;
    gbetas[(size_t)blockIdx.x * channels + c] = g;
    ggammas[(size_t)blockIdx.x * channels + c] = g_x;
}

}
