// Images (B, height, width, VEC), of which a thread reads a pixel at once.
extern "C" {

// y (B, height, width, 9, VEC); a thread takes one of the nine.
__global__ void windows_3x3(const T* __restrict__ x, T* __restrict__ y, int height, int width, long long n) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x, pixel = i / 9;
    if (i >= n) return;
    int down = i % 9 / 3 - 1, right = i % 3 - 1;
    int row = pixel / width % height + down, column = pixel % width + right;
    float a[VEC] = {};
    if (row >= 0 && row < height && column >= 0 && column < width)
        load(x + (pixel + (long long)down * width + right) * VEC, a);
    store(y + i * VEC, a);
}

// y, of which a thread takes a pixel, from shares (B, height, width, 9, VEC).
__global__ void sum_windows_3x3(const T* __restrict__ shares, const T* __restrict__ bias, T* __restrict__ y, int height,
                                int width, long long n) {
    long long pixel = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= n) return;
    int row = pixel / width % height, column = pixel % width;
    float sum[VEC] = {};
    if (bias) load(bias, sum);
#pragma unroll
    for (int tap = 0; tap < 9; ++tap) {
        int down = tap / 3 - 1, right = tap % 3 - 1;
        if (row + down < 0 || row + down >= height || column + right < 0 || column + right >= width) continue;
        float a[VEC];
        load(shares + ((pixel + (long long)down * width + right) * 9 + tap) * VEC, a);
#pragma unroll
        for (int k = 0; k < VEC; ++k) sum[k] += a[k];
    }
    store(y + pixel * VEC, sum);
}

}
