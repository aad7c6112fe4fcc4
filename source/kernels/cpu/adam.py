"""Adam's update of one parameter in one pass."""
from source.kernels.cpu.options import EXACT

import numba

_FLAT = 'float32[::1]'


@numba.njit(f'void({", ".join([_FLAT] * 4 + ["float32"] * 4)})', **EXACT)
def adam_update(param, grad, m, v, alpha_t, one_minus_beta1, one_minus_beta2, eps):
    """In place: m and v move towards grad and its square, param by −alpha_t·m / (√v + eps) (Kingma & Ba, 2015)."""
    for i in numba.prange(len(param)):
        m[i] += one_minus_beta1 * (grad[i] - m[i])
        v[i] += one_minus_beta2 * (grad[i] * grad[i] - v[i])
        param[i] -= alpha_t * m[i] / (v[i] ** numba.float32(.5) + eps)
