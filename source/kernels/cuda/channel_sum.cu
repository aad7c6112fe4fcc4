extern "C" __global__ void channel_sum(const T* __restrict__ x, float* partial, unsigned* counters, float* y, int rows,
                                       int channels, int rows_per_block) {
    int c = (blockIdx.y * blockDim.x + threadIdx.x) * VEC;
    float sum[VEC] = {};
    if (c < channels) {
        int end = min(rows, (int)(blockIdx.x + 1) * rows_per_block);
#pragma unroll 4
        for (int row = blockIdx.x * rows_per_block + threadIdx.y; row < end; row += blockDim.y) {
            float a[VEC];
            load(x + (size_t)row * channels + c, a);
#pragma unroll
            for (int k = 0; k < VEC; ++k) sum[k] += a[k];
        }
    }
    sum_over_y(sum);
    if (threadIdx.y == 0 && c < channels) store_floats(partial + (size_t)blockIdx.x * channels + c, sum);
    if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;

    Share share = share_of_tile(channels);
    double total[1] = {};
    if (share.used)
#pragma unroll 4
        for (int i = share.first; i < (int)gridDim.x; i += share.step)
            total[0] += __ldcg(partial + (size_t)i * channels + share.channel);
    sum_over_shares<1>(total);
    if (share.used && share.first == 0) y[share.channel] = total[0];
}
