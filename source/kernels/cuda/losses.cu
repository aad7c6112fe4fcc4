// What an output on the wrong side costs, z being −real or fake, and its derivative (eq. 15-17).
enum Kind { DCGAN, HINGE, WASSERSTEIN };

__device__ inline float cost(int kind, float z) {
    if (kind == DCGAN) return fmaxf(z, 0.f) + log1pf(expf(-fabsf(z)));
    return kind == HINGE ? fmaxf(1 + z, 0.f) : z;
}
__device__ inline float derivative(int kind, float z) {
    if (kind == DCGAN) {
        float e = expf(-fabsf(z));
        return (z >= 0 ? 1.f : e) / (1 + e);
    }
    return kind == HINGE ? (1 + z > 0 ? 1.f : 0.f) : 1.f;
}
__device__ inline double mean_cost(int kind, const float* x, float sign, int n) {
    double sum = 0;
    for (int i = threadIdx.x; i < n; i += 256) sum += cost(kind, sign * x[i]);
    return sum_over_block(sum) / n;
}

extern "C" {

// One block. Without real outputs (n_real = 0) it is the generator's loss.
__global__ void loss(const float* __restrict__ fake, const float* __restrict__ real, float* y, int n_fake, int n_real,
                     int kind) {
    double sum = mean_cost(kind, fake, n_real ? 1.f : -1.f, n_fake);
    if (n_real) sum += mean_cost(kind, real, -1.f, n_real);
    if (threadIdx.x == 0) *y = sum;
}

__global__ void loss_gradient(const float* __restrict__ gloss, const float* __restrict__ fake,
                              const float* __restrict__ real, float* __restrict__ gfake, float* __restrict__ greal,
                              int n_fake, int n_real, int kind) {
    int i = blockIdx.x * 256 + threadIdx.x;
    float sign = n_real ? 1.f : -1.f;
    if (i < n_fake) gfake[i] = sign * derivative(kind, sign * fake[i]) * (*gloss / n_fake);
    if (i < n_real) greal[i] = -derivative(kind, -real[i]) * (*gloss / n_real);
}

}
