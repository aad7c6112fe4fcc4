// Between images and the matrix of all the pixels that each place of the result reads, (places, kh, kw, C) in float.

extern "C" {

__global__ void gather_windows(const T* __restrict__ image, float* __restrict__ windows, int height, int width,
                               int channels, int out_height, int out_width, int kh, int kw, int stride, int pad_y,
                               int pad_x, long long n) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int c = i % channels;
    long long rest = i / channels;
    int b = rest % kw;
    rest /= kw;
    int a = rest % kh;
    rest /= kh;
    int q = rest % out_width;
    rest /= out_width;
    int p = rest % out_height;
    long long of = rest / out_height;
    int row = p * stride - pad_y + a, column = q * stride - pad_x + b;
    bool inside = row >= 0 && row < height && column >= 0 && column < width;
    windows[i] = inside ? to_float(image[((of * height + row) * width + column) * channels + c]) : 0;
}

// The adjoint: each pixel adds up what its windows hold of it, tap by tap.
__global__ void scatter_windows(const float* __restrict__ windows, T* __restrict__ image, int height, int width,
                                int channels, int out_height, int out_width, int kh, int kw, int stride, int pad_y,
                                int pad_x, long long n) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int c = i % channels;
    long long rest = i / channels;
    int column = rest % width;
    rest /= width;
    int row = rest % height;
    long long of = rest / height;
    float sum = 0;
    for (int a = 0; a < kh; ++a) {
        int p = row + pad_y - a;
        if (p < 0 || p % stride || p / stride >= out_height) continue;
        for (int b = 0; b < kw; ++b) {
            int q = column + pad_x - b;
            if (q < 0 || q % stride || q / stride >= out_width) continue;
            long long place = (of * out_height + p / stride) * out_width + q / stride;
            sum += windows[((place * kh + a) * kw + b) * channels + c];
        }
    }
    image[i] = from_float(sum);
}

}
