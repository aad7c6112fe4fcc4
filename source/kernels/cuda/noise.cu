// Philox4x32-10 (Salmon et al., 2011): four words of 32 bits for a block's number, under the key `seed`.
__device__ inline uint4 philox(unsigned long long block, unsigned long long seed) {
    uint4 x = make_uint4((unsigned)block, (unsigned)(block >> 32), 0, 0);
    unsigned key0 = (unsigned)seed, key1 = (unsigned)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        unsigned long long p0 = (unsigned long long)0xD2511F53u * x.x, p1 = (unsigned long long)0xCD9E8D57u * x.z;
        x = make_uint4((unsigned)(p1 >> 32) ^ x.y ^ key0, (unsigned)p1, (unsigned)(p0 >> 32) ^ x.w ^ key1, (unsigned)p0);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return x;
}

// The words of four neighbours from element 4·thread on. `state` is (seed, blocks used); the last block to have read it
// moves it on.
__device__ inline uint4 words_of_thread(unsigned long long* state, unsigned* counters, long long n) {
    long long block = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    uint4 words = philox(state[1] + block, state[0]);
    if (arrives_last(counters, gridDim.x) && threadIdx.x == 0) state[1] += (n + 3) / 4;
    return words;
}

__device__ inline float uniform_of(unsigned word) { return (word >> 8) * 5.9604644775390625e-8f; }  // · 2^-24

extern "C" {

__global__ void uniform(unsigned long long* state, unsigned* counters, float* __restrict__ y, long long n) {
    uint4 four = words_of_thread(state, counters, n);
    unsigned words[4] = {four.x, four.y, four.z, four.w};
    long long first = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;
    for (int k = 0; k < 4 && first + k < n; ++k) y[first + k] = uniform_of(words[k]);
}

// y (B, pixels, channels) from ims (B, channels, pixels) or, with `channels_last`, ims of y's order.
__global__ void dequantize(const unsigned char* __restrict__ ims, unsigned long long* state, unsigned* counters,
                           T* __restrict__ y, long long n, int pixels, int channels, int channels_last) {
    uint4 four = words_of_thread(state, counters, n);
    unsigned words[4] = {four.x, four.y, four.z, four.w};
    long long first = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;
    for (int k = 0; k < 4 && first + k < n; ++k) {
        long long i = first + k, from = i;
        if (!channels_last) {
            long long pixel = i / channels;
            from = (pixel / pixels * channels + i % channels) * pixels + pixel % pixels;
        }
        float x = ims[from] * 0.0078125f - 1.f;
        y[i] = from_float(x + uniform_of(words[k]) * 0.0078125f);
    }
}

}
