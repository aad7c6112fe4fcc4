extern "C" {

__global__ void resize(const float* __restrict__ ims, const long long* __restrict__ top,
                       const long long* __restrict__ bottom, const float* __restrict__ down,
                       const long long* __restrict__ left, const long long* __restrict__ right,
                       const float* __restrict__ across, T* __restrict__ y, float shift, float factor, int planes,
                       int height, int width, int rows, int columns, int channels, long long n) {
    long long pixel = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= n) return;
    int j = pixel % columns, i = pixel / columns % rows;
    const float* image = ims + pixel / columns / rows * planes * height * width;
    for (int c = 0; c < channels; ++c) {
        float value = 0;
        if (c < planes) {
            const float* above = image + ((size_t)c * height + top[i]) * width;
            const float* below = image + ((size_t)c * height + bottom[i]) * width;
            float first = above[left[j]] + (above[right[j]] - above[left[j]]) * across[j];
            float second = below[left[j]] + (below[right[j]] - below[left[j]]) * across[j];
            value = (first + (second - first) * down[i] + shift) * factor;
        }
        y[pixel * channels + c] = from_float(value);
    }
}

#define WINDOW                                                                                        \
    long long index = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * VEC;                       \
    if (index >= n) return;                                                                           \
    int c = index % channels;                                                                         \
    long long place = index / channels;                                                               \
    int j = place % columns, i = place / columns % rows;                                              \
    const T* image = x + place / columns / rows * height * width * channels + c;                      \
    int first_row = max(i * stride - pad, 0), last_row = min(i * stride - pad + 3, height);           \
    int first_column = max(j * stride - pad, 0), last_column = min(j * stride - pad + 3, width);      \
    float result[VEC];

#define EACH_PIXEL                                                                                    \
    for (int row = first_row; row < last_row; ++row)                                                  \
        for (int column = first_column; column < last_column; ++column) {                             \
            float pixel[VEC];                                                                         \
            load(image + ((size_t)row * width + column) * channels, pixel);

__global__ void max_3x3(const T* __restrict__ x, T* __restrict__ y, int height, int width, int channels, int rows,
                        int columns, int stride, int pad, int y_channels, int first_channel, long long n) {
    WINDOW
    load(image + ((size_t)first_row * width + first_column) * channels, result);
    EACH_PIXEL
        for (int k = 0; k < VEC; ++k) result[k] = pixel[k] > result[k] || pixel[k] != pixel[k] ? pixel[k] : result[k];
    }
    store(y + place * y_channels + first_channel + c, result);
}

__global__ void average_3x3(const T* __restrict__ x, T* __restrict__ y, int height, int width, int channels, int rows,
                            int columns, int counts_padding, int y_channels, int first_channel, long long n) {
    const int stride = 1, pad = 1;
    WINDOW
    for (int k = 0; k < VEC; ++k) result[k] = 0;
    EACH_PIXEL
        for (int k = 0; k < VEC; ++k) result[k] += pixel[k];
    }
    float n_pixels = counts_padding ? 9 : (last_row - first_row) * (last_column - first_column);
    for (int k = 0; k < VEC; ++k) result[k] /= n_pixels;
    store(y + place * y_channels + first_channel + c, result);
}

}
