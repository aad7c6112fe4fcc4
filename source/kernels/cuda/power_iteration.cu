// Of each job: t = Wᵀu, s = W t, then v = t / |t|, u = s / |s| and sigma = |s| / |t|.
struct Job {
    const float *W, *u;
    int d_out, d_in, first_block;
    int row, column, partial;  // where u, s begin, where v, t begin, and where partial sums of t do
    int rows_per_block, vectors;  // vectors: whether rows of W begin at multiples of 16 bytes
};
struct Jobs {
    Job job[JOBS];
    int n;
};

extern "C" {

// Block (32, 8): a tile of columns, four to a thread with `vectors`, and rows_per_block rows. Where several blocks share
// a tile, the last one adds up.
__global__ void columns_dot(const __grid_constant__ Jobs jobs, float* partial, unsigned* counters, float* t) {
    const Job& job = jobs.job[job_of_block(jobs)];
    int each = job.vectors ? 4 : 1, tiles = (job.d_in + 32 * each - 1) / (32 * each);
    int splits = (job.d_out + job.rows_per_block - 1) / job.rows_per_block;
    int tile = (blockIdx.x - job.first_block) % tiles, split = (blockIdx.x - job.first_block) / tiles;
    int column = (tile * 32 + threadIdx.x) * each, end = min(job.d_out, (split + 1) * job.rows_per_block);
    float sum[4] = {};
    if (column < job.d_in) {
        const float* W = job.W + column;
        if (job.vectors) {
#pragma unroll 4
            for (int row = split * job.rows_per_block + threadIdx.y; row < end; row += 8) {
                float4 w = *(const float4*)(W + (size_t)row * job.d_in);
                float u = job.u[row];
                sum[0] += w.x * u, sum[1] += w.y * u, sum[2] += w.z * u, sum[3] += w.w * u;
            }
        } else {
#pragma unroll 4
            for (int row = split * job.rows_per_block + threadIdx.y; row < end; row += 8)
                sum[0] += W[(size_t)row * job.d_in] * job.u[row];
        }
    }
    sum_over_y(sum);
    bool writes = threadIdx.y == 0 && column < job.d_in;
    float* to = splits == 1 ? t + job.column : partial + job.partial + (size_t)split * job.d_in;
    if (writes)
#pragma unroll
        for (int k = 0; k < 4; ++k)
            if (k < each) to[column + k] = sum[k];
    if (splits == 1 || !arrives_last(counters + job.first_block + tile, splits) || !writes) return;
    for (int k = 0; k < each; ++k) {
        float total = 0;
        for (int i = 0; i < splits; ++i) total += __ldcg(partial + job.partial + (size_t)i * job.d_in + column + k);
        t[job.column + column + k] = total;
    }
}

// A block of 256 multiplies four rows with t; a job's last one finds the norms.
__global__ void rows_dot(const __grid_constant__ Jobs jobs, unsigned* counters, const float* __restrict__ t, float* s,
                         float* v, float* u, float* sigma, float eps) {
    int index = job_of_block(jobs);
    const Job& job = jobs.job[index];
    int row = (blockIdx.x - job.first_block) * 4, rows = min(4, job.d_out - row);
    const float* W = job.W + (size_t)row * job.d_in;
    t += job.column, s += job.row, v += job.column, u += job.row;
    float sum[4] = {};
    if (job.vectors) {
        for (int column = threadIdx.x * 4; column < job.d_in; column += 1024) {
            float4 x = *(const float4*)(t + column);
#pragma unroll
            for (int k = 0; k < 4; ++k)
                if (k < rows) {
                    float4 w = *(const float4*)(W + (size_t)k * job.d_in + column);
                    sum[k] += w.x * x.x + w.y * x.y + w.z * x.z + w.w * x.w;
                }
        }
    } else {
        for (int column = threadIdx.x; column < job.d_in; column += 256)
#pragma unroll
            for (int k = 0; k < 4; ++k)
                if (k < rows) sum[k] += W[(size_t)k * job.d_in + column] * t[column];
    }
    sums_over_block<4>(sum);
    if (threadIdx.x == 0)
#pragma unroll
        for (int k = 0; k < 4; ++k)
            if (k < rows) s[row + k] = sum[k];
    if (!arrives_last(counters + index, (job.d_out + 3) / 4)) return;

    float squares[2] = {};
    for (int i = threadIdx.x; i < job.d_in; i += 256) squares[0] += t[i] * t[i];
    for (int i = threadIdx.x; i < job.d_out; i += 256) {
        float x = __ldcg(s + i);
        squares[1] += x * x;
    }
    sums_over_block<2>(squares);
    float norm_t = sqrtf(squares[0]) + eps, norm_s = sqrtf(squares[1]);
    if (threadIdx.x == 0) sigma[index] = norm_s / norm_t;
    norm_s += eps * norm_t;
    for (int i = threadIdx.x; i < job.d_in; i += 256) v[i] = t[i] / norm_t;
    for (int i = threadIdx.x; i < job.d_out; i += 256) u[i] = __ldcg(s + i) / norm_s;
}

}
