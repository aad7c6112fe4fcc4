"""The three convolutions Winograd's algorithm serves here, each as one set of one-dimensional matrices.

same  3 taps, stride 1, padding 1:          y[i] = sum_k w[k] x[i - 1 + k]
down  4 taps, stride 2, padding 1:          y[i] = sum_k w[k] x[2 i - 1 + k]
up    its transpose (a deconvolution):      y[2 i - 1 + k] += w[k] x[i]

A stride of two splits into its phases, even and odd samples, each a two-tap correlation.
`down` sums its phases within the product (its depth is twice the channels); `up` keeps them apart (its outputs differ).
"""
from dataclasses import dataclass

from source.kernels.cpu import cook_toom

import numpy as np

_PRODUCTS_3_TAPS = cook_toom.matrices(4, 3, (0, 1, -1, 2, -2))
_PRODUCTS_2_TAPS = cook_toom.matrices(4, 2, (0, 1, -1, 2))


@dataclass(frozen=True)
class Scheme:
    """One axis of a tiled convolution: out = from_products @ (from_taps @ taps * to_products @ patch).

    Rows of to_products and from_taps are phase-major when n_phases > 1; those phases are summed in the product.
    A tile reads patch samples step_in * tile - 1 + (0, 1, ...), and writes outputs step_out * tile + (0, 1, ...).
    """
    to_products: np.ndarray
    from_taps: np.ndarray
    from_products: np.ndarray
    step_in: int
    n_phases: int = 1

    @property
    def step_out(self):
        return len(self.from_products)

    @property
    def n_products(self):
        return self.from_products.shape[1]


def _same():
    A, G, B = _PRODUCTS_3_TAPS
    return Scheme(B, G, A, step_in=4)


def _down():
    A, G, B = _PRODUCTS_2_TAPS
    to_products, from_taps = np.zeros((10, 10)), np.zeros((10, 4))
    for phase in (0, 1):
        rows = slice(5 * phase, 5 * phase + 5)
        to_products[rows, phase::2] = B
        from_taps[rows, phase::2] = G
    return Scheme(to_products, from_taps, A, step_in=8, n_phases=2)


def _up():
    A, G, B = _PRODUCTS_2_TAPS
    to_products, from_taps, from_products = np.zeros((10, 6)), np.zeros((10, 4)), np.zeros((8, 10))
    for phase in (0, 1):
        rows = slice(5 * phase, 5 * phase + 5)
        to_products[rows, phase:phase + 5] = B
        from_taps[rows, 3 - phase] = G[:, 0]
        from_taps[rows, 1 - phase] = G[:, 1]
        from_products[phase::2, rows] = A
    return Scheme(to_products, from_taps, from_products, step_in=4)


SAME, DOWN, UP = _same(), _down(), _up()
