"""Spectral normalization of many matrices at once (Algorithm 1, eq. 10-12 and 22).

Lists have one entry a layer, a float32 array: W (d_out, d_in), u (1, d_out), v (1, d_in). sigmas is one array (n,).
factors are Python floats, the spectral norms wanted.
"""
from source.kernels.power_iteration import power_iteration

import numpy as np


def power_iterations(Ws, us, Ip=1):
    """Ip rounds v = Wᵀu / |Wᵀu|, u = Wv / |Wv| of each. Returns new us, vs and sigmas = u W vᵀ; us stay as they are."""
    results = [power_iteration(W, u, Ip) for W, u in zip(Ws, us, strict=True)]
    us, vs, sigmas = (list(column) for column in zip(*results, strict=True))
    return us, vs, np.array(sigmas, Ws[0].dtype)


def normalized(Ws, sigmas, factors, dtype=None):
    """W_bars = factor / sigma · W, new arrays in `dtype` (float32 or bfloat16; by default W's)."""
    return [(W * (W.dtype.type(factor) / sigma)).astype(dtype or W.dtype)
            for W, sigma, factor in zip(Ws, sigmas, factors, strict=True)]


def gradients(Ws, gW_bars, us, vs, sigmas, factors):
    """gWs = factor / sigma · (gW_bar − ⟨gW_bar, W / sigma⟩ uᵀv), u and v counting as constants."""
    gWs = []
    for W, g, u, v, sigma, factor in zip(Ws, gW_bars, us, vs, sigmas, factors, strict=True):
        inner = np.vdot(g.astype(np.float64), W.astype(np.float64)).astype(W.dtype) / sigma
        gWs.append((W.dtype.type(factor) / sigma) * (g - inner * u.T * v))
    return gWs
