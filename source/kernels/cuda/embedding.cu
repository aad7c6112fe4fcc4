// blockIdx.x is a row of the result, but for `project`; threads and blockIdx.y run over channels.

// The sum over the samples with a label, in their order, of weight[sample]·rows[sample, c]; without weights, of rows.
__device__ inline float sum_of_label(int label, const float* rows, const float* weights, const int* labels, int samples,
                                     int channels, int c) {
    float sum = 0;
    for (int first = 0; first < samples; first += 32) {
        int sample = first + threadIdx.x % 32;
        unsigned those = __ballot_sync(0xffffffffu, sample < samples && labels[sample] == label);
        for (; those; those &= those - 1) {
            int one = first + __ffs(those) - 1;
            if (c < channels) {
                float x = rows[(size_t)one * channels + c];
                sum += weights ? weights[one] * x : x;
            }
        }
    }
    return sum;
}

extern "C" {

__global__ void lookup(const float* __restrict__ W, const int* __restrict__ labels, float* __restrict__ y,
                       int channels) {
    int c = blockIdx.y * 256 + threadIdx.x;
    if (c < channels) y[(size_t)blockIdx.x * channels + c] = W[(size_t)labels[blockIdx.x] * channels + c];
}

__global__ void lookup_gradient(const float* __restrict__ gy, const int* __restrict__ labels, float* __restrict__ gW,
                                int samples, int channels) {
    int c = blockIdx.y * 256 + threadIdx.x;
    float sum = sum_of_label(blockIdx.x, gy, 0, labels, samples, channels, c);
    if (c < channels) gW[(size_t)blockIdx.x * channels + c] = sum;
}

// A block multiplies one sample's features with its label's row.
__global__ void project(const float* __restrict__ h, const float* __restrict__ W, const int* __restrict__ labels,
                        float* __restrict__ y, int channels) {
    const float* row = W + (size_t)labels[blockIdx.x] * channels;
    const float* features = h + (size_t)blockIdx.x * channels;
    float sum = 0;
    for (int c = threadIdx.x; c < channels; c += 256) sum += features[c] * row[c];
    sum = sum_over_block(sum);
    if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

// The first `samples` of blockIdx.x are rows of gh, the others of gW.
__global__ void project_gradient(const float* __restrict__ gy, const float* __restrict__ h, const float* __restrict__ W,
                                 const int* __restrict__ labels, float* __restrict__ gh, float* __restrict__ gW,
                                 int samples, int channels) {
    int c = blockIdx.y * 256 + threadIdx.x, sample = blockIdx.x;
    if (sample < samples) {
        if (c < channels)
            gh[(size_t)sample * channels + c] = gy[sample] * W[(size_t)labels[sample] * channels + c];
        return;
    }
    int label = sample - samples;
    float sum = sum_of_label(label, h, gy, labels, samples, channels, c);
    if (c < channels) gW[(size_t)label * channels + c] = sum;
}

}
