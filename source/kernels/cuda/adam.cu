// Places in the state; see source/kernels/adam_state.py.
enum { STEP, ALPHA, BETA1, BETA2, EPS, ALPHA_T };

struct Job {
    float *param;
    const float *grad;
    float *m, *v;
    const float* further;  // to be added to grad, or null
    int n, first_block, vectors;  // vectors: whether all of them begin at multiples of 16 bytes
};
struct Jobs {
    Job job[JOBS];
    int n;
};

__device__ inline void move(float& param, float grad, float& m, float& v, float rate1, float rate2, float eps,
                            float alpha_t) {
    m += rate1 * (grad - m);
    v += rate2 * (grad * grad - v);
    param -= alpha_t * m / (sqrtf(v) + eps);
}

extern "C" {

__global__ void advance(double* state) {
    double t = state[STEP] + 1;
    state[STEP] = t;
    state[ALPHA_T] = state[ALPHA] * sqrt(1 - pow(state[BETA2], t)) / (1 - pow(state[BETA1], t));
}

// A block moves SEGMENT elements of one parameter.
__global__ void update(const __grid_constant__ Jobs jobs, const double* __restrict__ state) {
    const Job& job = jobs.job[job_of_block(jobs)];
    float rate1 = 1 - state[BETA1], rate2 = 1 - state[BETA2], eps = state[EPS], alpha_t = state[ALPHA_T];
    int begin = (blockIdx.x - job.first_block) * SEGMENT, end = min(job.n, begin + SEGMENT), whole = begin;
    if (job.vectors) {
        whole = end / 4 * 4;
#pragma unroll 2
        for (int i = begin + threadIdx.x * 4; i < whole; i += 1024) {
            float4 p = *(float4*)(job.param + i), g = *(const float4*)(job.grad + i);
            float4 m = *(float4*)(job.m + i), v = *(float4*)(job.v + i);
            if (job.further) {
                float4 more = *(const float4*)(job.further + i);
                g.x += more.x, g.y += more.y, g.z += more.z, g.w += more.w;
            }
            move(p.x, g.x, m.x, v.x, rate1, rate2, eps, alpha_t);
            move(p.y, g.y, m.y, v.y, rate1, rate2, eps, alpha_t);
            move(p.z, g.z, m.z, v.z, rate1, rate2, eps, alpha_t);
            move(p.w, g.w, m.w, v.w, rate1, rate2, eps, alpha_t);
            *(float4*)(job.param + i) = p;
            *(float4*)(job.m + i) = m;
            *(float4*)(job.v + i) = v;
        }
    }
    for (int i = whole + threadIdx.x; i < end; i += 256) {
        float g = job.grad[i] + (job.further ? job.further[i] : 0);
        move(job.param[i], g, job.m[i], job.v[i], rate1, rate2, eps, alpha_t);
    }
}

}
