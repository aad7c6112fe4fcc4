extern "C" {

// A block sums VEC·blockDim.x channels of one image; its threadIdx.y share the pixels.
__global__ void sum_pixels(const T* __restrict__ x, float* __restrict__ y, float slope, float factor, int pixels,
                           int channels) {
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    const T* image = x + (size_t)blockIdx.x * pixels * channels;
    float sum[VEC] = {};
    if (c < channels)
#pragma unroll 4
        for (int p = threadIdx.y; p < pixels; p += blockDim.y) {
            float a[VEC];
            load(image + (size_t)p * channels + c, a);
            for (int k = 0; k < VEC; ++k) sum[k] += activated(a[k], slope);
        }
    sum_over_y(sum);
    if (threadIdx.y > 0 || c >= channels) return;
    for (int k = 0; k < VEC; ++k) sum[k] *= factor;
    store_floats(y + (size_t)blockIdx.x * channels + c, sum);
}

__global__ void sum_pixels_gradient(const float* __restrict__ gy, const T* __restrict__ x, T* __restrict__ gx,
                                    float slope, float factor, int pixels, int channels) {
    int i = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    if (i >= pixels * channels) return;
    size_t at = (size_t)blockIdx.x * pixels * channels + i;
    float a[VEC], g[VEC];
    load(x + at, a);
    load_floats(gy + (size_t)blockIdx.x * channels + i % channels, g);
#pragma unroll
    for (int k = 0; k < VEC; ++k) {
        g[k] *= factor;
        a[k] = a[k] > 0 ? g[k] : slope * g[k];
    }
    store(gx + at, a);
}

}
