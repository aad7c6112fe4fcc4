// Matrix products in float32 with operands of either type, in a fixed order of sums.

__device__ inline float value(float x) { return x; }
__device__ inline void assign(float* p, float x) { *p = x; }
#ifdef BFLOAT16
__device__ inline float value(T x) { return to_float(x); }
__device__ inline void assign(T* p, float x) { *p = from_float(x); }
#endif

#define TILE 64   // rows and columns of c that a block of 16 x 16 threads makes
#define DEPTH 16  // products at a time

// c (m, n) = a b + bias, a's and b's elements at [i * row + k * column] and [k * row + j * column].
template <class A, class B, class C>
__device__ inline void multiply_matrices(const A* __restrict__ a, const B* __restrict__ b,
                                         const float* __restrict__ bias, C* __restrict__ c, int m, int n, int depth,
                                         long long a_row, long long a_column, long long b_row, long long b_column) {
    __shared__ float a_tile[DEPTH][TILE + 1];
    __shared__ float b_tile[DEPTH][TILE + 1];
    int first_row = blockIdx.y * TILE, first_column = blockIdx.x * TILE;
    int thread = threadIdx.y * 16 + threadIdx.x;
    float sums[4][4] = {};
    for (int start = 0; start < depth; start += DEPTH) {
        // Neighbouring threads read along whichever axis is dense.
        for (int e = thread; e < DEPTH * TILE; e += 256) {
            int i = a_column == 1 ? e / DEPTH : e % TILE, k = a_column == 1 ? e % DEPTH : e / TILE;
            bool inside = first_row + i < m && start + k < depth;
            a_tile[k][i] = inside ? value(a[(first_row + i) * a_row + (start + k) * a_column]) : 0;
        }
        for (int e = thread; e < DEPTH * TILE; e += 256) {
            int j = b_row == 1 ? e / DEPTH : e % TILE, k = b_row == 1 ? e % DEPTH : e / TILE;
            bool inside = first_column + j < n && start + k < depth;
            b_tile[k][j] = inside ? value(b[(start + k) * b_row + (first_column + j) * b_column]) : 0;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DEPTH; ++k) {
            float left[4], right[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                left[i] = a_tile[k][threadIdx.y + 16 * i];
                right[i] = b_tile[k][threadIdx.x + 16 * i];
            }
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) sums[i][j] += left[i] * right[j];
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            int row = first_row + threadIdx.y + 16 * i, column = first_column + threadIdx.x + 16 * j;
            if (row < m && column < n)
                assign(c + (size_t)row * n + column, sums[i][j] + (bias ? bias[column] : 0));
        }
}

// y (rows, n) = x wᵀ + bias for a few outputs: a warp adds up one of them.
template <class A, class C>
__device__ inline void dot_rows(const A* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias,
                                C* __restrict__ y, int rows, int n, int depth) {
    int at = blockIdx.x * 8 + threadIdx.y;
    if (at >= rows * n) return;
    int row = at / n, column = at % n;
    float sum = 0;
#pragma unroll 4
    for (int k = threadIdx.x; k < depth; k += 32)
        sum += value(x[(size_t)row * depth + k]) * w[(size_t)column * depth + k];
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x == 0) assign(y + at, sum + (bias ? bias[column] : 0));
}

#define MATRICES(A, B, C)                                                                                   \
    const A *a, const B *b, const float *bias, C *c, int m, int n, int depth, long long a_row,               \
        long long a_column, long long b_row, long long b_column
#define MULTIPLY multiply_matrices(a, b, bias, c, m, n, depth, a_row, a_column, b_row, b_column)
#define ROWS(A, C) const A *x, const float *w, const float *bias, C *y, int rows, int n, int depth

extern "C" {

// f is float, t the activations' type: of a, b and c, or of x and y.
__global__ void product_fff(MATRICES(float, float, float)) { MULTIPLY; }
__global__ void product_fft(MATRICES(float, float, T)) { MULTIPLY; }
__global__ void product_tff(MATRICES(T, float, float)) { MULTIPLY; }
__global__ void product_tft(MATRICES(T, float, T)) { MULTIPLY; }
__global__ void product_ftf(MATRICES(float, T, float)) { MULTIPLY; }
__global__ void product_ttf(MATRICES(T, T, float)) { MULTIPLY; }
__global__ void dots_ff(ROWS(float, float)) { dot_rows(x, w, bias, y, rows, n, depth); }
__global__ void dots_ft(ROWS(float, T)) { dot_rows(x, w, bias, y, rows, n, depth); }
__global__ void dots_tf(ROWS(T, float)) { dot_rows(x, w, bias, y, rows, n, depth); }
__global__ void dots_tt(ROWS(T, T)) { dot_rows(x, w, bias, y, rows, n, depth); }

__global__ void sum_rows(const T* __restrict__ gy, float* __restrict__ gb, int rows, int n) {
    int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= n) return;
    float sum = 0;
#pragma unroll 4
    for (int row = 0; row < rows; ++row) sum += to_float(gy[(size_t)row * n + column]);
    gb[column] = sum;
}

}
