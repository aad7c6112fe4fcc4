// blockIdx.x is a row of one image of the result; blockIdx.y and the threads run over its columns × channels.
extern "C" {

__global__ void sum_2x2(const T* __restrict__ x, T* __restrict__ y, float factor, int in_height, int in_width,
                        int channels) {
    int out_height = in_height / 2, out_width = in_width / 2;
    int i = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    if (i >= out_width * channels) return;
    int image = blockIdx.x / out_height, row = blockIdx.x % out_height, column = i / channels, c = i % channels;
    size_t line = (size_t)in_width * channels;
    const T* top = x + ((size_t)image * in_height + 2 * row) * line + (size_t)2 * column * channels + c;
    float a[VEC], b[VEC], d[VEC], e[VEC];
    load(top, a);
    load(top + channels, b);
    load(top + line, d);
    load(top + line + channels, e);
#pragma unroll
    for (int k = 0; k < VEC; ++k) a[k] = factor * (a[k] + b[k] + (d[k] + e[k]));
    store(y + (size_t)blockIdx.x * out_width * channels + i, a);
}

__global__ void repeat_2x2(const T* __restrict__ x, T* __restrict__ y, float factor, int out_height, int out_width,
                           int channels) {
    int in_height = out_height / 2, in_width = out_width / 2;
    int i = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    if (i >= out_width * channels) return;
    int image = blockIdx.x / out_height, row = blockIdx.x % out_height / 2, column = i / channels / 2, c = i % channels;
    float a[VEC] = {};
    if (row < in_height && column < in_width)
        load(x + (((size_t)image * in_height + row) * in_width + column) * channels + c, a);
#pragma unroll
    for (int k = 0; k < VEC; ++k) a[k] *= factor;
    store(y + (size_t)blockIdx.x * out_width * channels + i, a);
}

}
