// One thread takes VEC neighbours; the last one what is left of n elements.
#define ELEMENTWISE(FULL, SINGLE)                                                           \
    long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * VEC;                 \
    if (i + VEC <= n) {                                                                     \
        FULL                                                                                \
    } else {                                                                                \
        for (; i < n; ++i) { SINGLE }                                                       \
    }

extern "C" {

__global__ void add(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ y, long long n) {
    ELEMENTWISE({
        float p[VEC]; float q[VEC];
        load(a + i, p);
        load(b + i, q);
        for (int k = 0; k < VEC; ++k) p[k] += q[k];
        store(y + i, p);
    }, { y[i] = from_float(to_float(a[i]) + to_float(b[i])); })
}

__global__ void multiply(const T* __restrict__ x, T* __restrict__ y, float factor, long long n) {
    ELEMENTWISE({
        float p[VEC];
        load(x + i, p);
        for (int k = 0; k < VEC; ++k) p[k] *= factor;
        store(y + i, p);
    }, { y[i] = from_float(to_float(x[i]) * factor); })
}

__global__ void activate(const T* __restrict__ x, T* __restrict__ y, float slope, long long n) {
    ELEMENTWISE({
        float p[VEC];
        load(x + i, p);
        for (int k = 0; k < VEC; ++k) p[k] = activated(p[k], slope);
        store(y + i, p);
    }, { y[i] = from_float(activated(to_float(x[i]), slope)); })
}

__global__ void gate(const T* __restrict__ gy, const T* __restrict__ x, T* __restrict__ gx, float slope, long long n) {
    ELEMENTWISE({
        float p[VEC]; float q[VEC];
        load(gy + i, p);
        load(x + i, q);
        for (int k = 0; k < VEC; ++k) p[k] = q[k] > 0 ? p[k] : slope * p[k];
        store(gx + i, p);
    }, { gx[i] = from_float(to_float(x[i]) > 0 ? to_float(gy[i]) : slope * to_float(gy[i])); })
}

__global__ void gate_and_add(const T* __restrict__ gy, const T* __restrict__ x, const T* __restrict__ b,
                             T* __restrict__ y, float slope, long long n) {
    ELEMENTWISE({
        float p[VEC]; float q[VEC]; float r[VEC];
        load(gy + i, p);
        load(x + i, q);
        load(b + i, r);
        for (int k = 0; k < VEC; ++k) p[k] = r[k] + (q[k] > 0 ? p[k] : slope * p[k]);
        store(y + i, p);
    }, { y[i] = from_float(to_float(b[i]) + (to_float(x[i]) > 0 ? to_float(gy[i]) : slope * to_float(gy[i]))); })
}

__global__ void hyperbolic_tangent(const T* __restrict__ x, T* __restrict__ y, long long n) {
    ELEMENTWISE({
        float p[VEC];
        load(x + i, p);
        for (int k = 0; k < VEC; ++k) p[k] = tanhf(p[k]);
        store(y + i, p);
    }, { y[i] = from_float(tanhf(to_float(x[i]))); })
}

__global__ void tanh_gradient(const T* __restrict__ gy, const T* __restrict__ y, T* __restrict__ gx, long long n) {
    ELEMENTWISE({
        float p[VEC]; float q[VEC];
        load(gy + i, p);
        load(y + i, q);
        for (int k = 0; k < VEC; ++k) p[k] *= 1 - q[k] * q[k];
        store(gx + i, p);
    }, { gx[i] = from_float(to_float(gy[i]) * (1 - to_float(y[i]) * to_float(y[i]))); })
}

__global__ void cast_to_float(const T* __restrict__ x, float* __restrict__ y, long long n) {
    ELEMENTWISE({
        float p[VEC];
        load(x + i, p);
        store_floats(y + i, p);
    }, { y[i] = to_float(x[i]); })
}

__global__ void cast_from_float(const float* __restrict__ x, T* __restrict__ y, long long n) {
    ELEMENTWISE({
        float p[VEC];
        load_floats(x + i, p);
        store(y + i, p);
    }, { y[i] = from_float(x[i]); })
}

}
