"""Adam of many parameters at once (Kingma & Ba, 2015), as Chainer computes it."""
from source.kernels.adam_state import ALPHA, ALPHA_T, BETA1, BETA2, EPS, T

import numpy as np


def update(params, grads, ms, vs, state, further=None):
    """Advances state's t, then moves all params and their moments, in place.

    Lists of arrays of any shapes, of one parameter each equal; state as `adam_state` makes it. `further` are gradients,
    or None for some, that are added to grads first. With alpha_t = alpha · √(1 − β₂ᵗ) / (1 − β₁ᵗ):

        m += (1 − β₁)·(grad − m),    v += (1 − β₂)·(grad² − v),    param −= alpha_t·m / (√v + eps)
    """
    state[T] += 1
    beta1, beta2 = state[BETA1], state[BETA2]
    state[ALPHA_T] = state[ALPHA] * np.sqrt(1 - beta2 ** state[T]) / (1 - beta1 ** state[T])
    for param, grad, m, v, more in zip(params, grads, ms, vs, further or [None] * len(params), strict=True):
        grad = grad if more is None else grad + more
        one_minus_beta1, one_minus_beta2, eps, alpha_t = (
            param.dtype.type(value) for value in (1 - beta1, 1 - beta2, state[EPS], state[ALPHA_T]))
        m += one_minus_beta1 * (grad - m)
        v += one_minus_beta2 * (grad * grad - v)
        param -= alpha_t * m / (np.sqrt(v) + eps)
