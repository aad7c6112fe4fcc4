// W / sigma and its gradient for many matrices. A block of 256 threads passes over SEGMENT elements of one.
struct Job {
    const float *W, *g, *u, *v;
    void* out;
    int n, d_in, first_block, index, vectors;  // index: of sigma and of `inner`
    float factor;
};
struct Jobs {
    Job job[JOBS];
    int n;
};
struct Segment {
    int begin, whole, end;  // packs reach from begin to whole, single elements from there to end
};
__device__ inline Segment segment_of_block(const Job& job, int pack) {
    Segment here;
    here.begin = (blockIdx.x - job.first_block) * SEGMENT;
    here.end = min(job.n, here.begin + SEGMENT);
    here.whole = job.vectors ? here.end / pack * pack : here.begin;
    return here;
}

extern "C" {

// out, of type T, = factor / sigma · W.
__global__ void normalized(const __grid_constant__ Jobs jobs, const float* __restrict__ sigmas) {
    const Job& job = jobs.job[job_of_block(jobs)];
    Segment here = segment_of_block(job, VEC);
    float scale = job.factor / sigmas[job.index];
    T* out = (T*)job.out;
#pragma unroll 2
    for (int i = here.begin + threadIdx.x * VEC; i < here.whole; i += 256 * VEC) {
        float a[VEC];
        load_floats(job.W + i, a);
#pragma unroll
        for (int k = 0; k < VEC; ++k) a[k] *= scale;
        store(out + i, a);
    }
    for (int i = here.whole + threadIdx.x; i < here.end; i += 256) out[i] = from_float(job.W[i] * scale);
}

// inner = <g, W> / sigma, added up by the last block of each job.
__global__ void inner_products(const __grid_constant__ Jobs jobs, double* partial, unsigned* counters, float* inner,
                               const float* __restrict__ sigmas) {
    const Job& job = jobs.job[job_of_block(jobs)];
    Segment here = segment_of_block(job, 4);
    float sum = 0;
#pragma unroll 2
    for (int i = here.begin + threadIdx.x * 4; i < here.whole; i += 1024) {
        float4 w = *(const float4*)(job.W + i), g = *(const float4*)(job.g + i);
        sum += w.x * g.x + w.y * g.y + w.z * g.z + w.w * g.w;
    }
    for (int i = here.whole + threadIdx.x; i < here.end; i += 256) sum += job.W[i] * job.g[i];
    sum = sum_over_block(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
    int blocks = (job.n + SEGMENT - 1) / SEGMENT;
    if (!arrives_last(counters + job.first_block, blocks)) return;
    double total = 0;
    for (int i = threadIdx.x; i < blocks; i += 256) total += __ldcg(partial + job.first_block + i);
    total = sum_over_block(total);
    if (threadIdx.x == 0) inner[job.index] = (float)total / sigmas[job.index];
}

// out, floats, = factor / sigma · (g − inner·uᵀv).
__global__ void gradients(const __grid_constant__ Jobs jobs, const float* __restrict__ inner,
                          const float* __restrict__ sigmas) {
    const Job& job = jobs.job[job_of_block(jobs)];
    Segment here = segment_of_block(job, 4);
    float scale = job.factor / sigmas[job.index], along = inner[job.index];
    float* out = (float*)job.out;
#pragma unroll 2
    for (int i = here.begin + threadIdx.x * 4; i < here.whole; i += 1024) {
        float4 g = *(const float4*)(job.g + i), v = *(const float4*)(job.v + i % job.d_in);
        float a = along * job.u[i / job.d_in];
        g.x = scale * (g.x - a * v.x), g.y = scale * (g.y - a * v.y);
        g.z = scale * (g.z - a * v.z), g.w = scale * (g.w - a * v.w);
        *(float4*)(out + i) = g;
    }
    for (int i = here.whole + threadIdx.x; i < here.end; i += 256)
        out[i] = scale * (job.g[i] - along * job.u[i / job.d_in] * job.v[i % job.d_in]);
}

}
