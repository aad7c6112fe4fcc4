// Goes before every other source here. T is the activations' type, float or (with BFLOAT16) bfloat16 kept as its bits;
// VEC of them, 16 bytes or a single one, are read and written at once. Arithmetic is in float.
#ifdef BFLOAT16
struct T {
    unsigned short bits;
};
__device__ inline float to_float(T x) { return __uint_as_float((unsigned)x.bits << 16); }
__device__ inline T from_float(float x) {  // to the nearest, ties to even
    T y;
#ifdef __CUDA_ARCH__
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
    unsigned bits = __float_as_uint(x);
    y.bits = x != x ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
#endif
    return y;
}
#else
typedef float T;
__device__ inline float to_float(T x) { return x; }
__device__ inline T from_float(float x) { return x; }
#endif

#if VEC == 1
__device__ inline void load(const T* p, float* a) { a[0] = to_float(*p); }
__device__ inline void store(T* p, const float* a) { *p = from_float(a[0]); }
__device__ inline void load_floats(const float* p, float* a) { a[0] = *p; }
#elif defined(BFLOAT16)
__device__ inline void load(const T* p, float* a) {
    uint4 words = *(const uint4*)p;
    unsigned word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        a[2 * i] = __uint_as_float(word[i] << 16);
        a[2 * i + 1] = __uint_as_float(word[i] & 0xffff0000u);
    }
}
__device__ inline void store(T* p, const float* a) {
    unsigned word[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) word[i] = from_float(a[2 * i]).bits | (unsigned)from_float(a[2 * i + 1]).bits << 16;
    *(uint4*)p = make_uint4(word[0], word[1], word[2], word[3]);
}
#else
__device__ inline void load(const T* p, float* a) {
    float4 four = *(const float4*)p;
    a[0] = four.x, a[1] = four.y, a[2] = four.z, a[3] = four.w;
}
__device__ inline void store(T* p, const float* a) { *(float4*)p = make_float4(a[0], a[1], a[2], a[3]); }
#endif
#if VEC > 1
__device__ inline void load_floats(const float* p, float* a) {
#pragma unroll
    for (int i = 0; i < VEC; i += 4) {
        float4 four = *(const float4*)(p + i);
        a[i] = four.x, a[i + 1] = four.y, a[i + 2] = four.z, a[i + 3] = four.w;
    }
}
#endif
// As load_floats, of what another block of this launch has written.
__device__ inline void load_others(const float* p, float* a) {
#if VEC == 1
    a[0] = __ldcg(p);
#else
#pragma unroll
    for (int i = 0; i < VEC; i += 4) {
        float4 four = __ldcg((const float4*)(p + i));
        a[i] = four.x, a[i + 1] = four.y, a[i + 2] = four.z, a[i + 3] = four.w;
    }
#endif
}
__device__ inline void store_floats(float* p, const float* a) {
#if VEC == 1
    *p = a[0];
#else
#pragma unroll
    for (int i = 0; i < VEC; i += 4) *(float4*)(p + i) = make_float4(a[i], a[i + 1], a[i + 2], a[i + 3]);
#endif
}

__device__ inline float activated(float a, float slope) { return a > 0 ? a : slope * a; }

// Whether this block is the last of n to come here: it then sees what the others wrote before. It leaves the counter at
// 0, as it must be at first. Which block is last varies; what it adds up, and in which order, must not.
__device__ inline bool arrives_last(unsigned* counter, unsigned n) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0) last = atomicInc(counter, n - 1) == n - 1;
    __syncthreads();
    __threadfence();
    return last;
}

// Sums over a block of 256 threads, in all of them.
template <int N, class S> __device__ inline void sums_over_block(S* x) {
    __shared__ S of_warp[N][8];
    unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int n = 0; n < N; ++n) {
        for (int distance = 16; distance > 0; distance /= 2) x[n] += __shfl_xor_sync(0xffffffffu, x[n], distance);
        if (thread % 32 == 0) of_warp[n][thread / 32] = x[n];
    }
    __syncthreads();
#pragma unroll
    for (int n = 0; n < N; ++n) {
        x[n] = of_warp[n][0];
        for (int i = 1; i < 8; ++i) x[n] += of_warp[n][i];
    }
    __syncthreads();
}
template <class S> __device__ inline S sum_over_block(S x) {
    sums_over_block<1>(&x);
    return x;
}
