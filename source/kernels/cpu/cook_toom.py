"""Winograd's matrices: m outputs of an r-tap correlation from m + r - 1 products, y = A (G w * B x).

Cook-Toom interpolation in exact fractions (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks").
"""
from fractions import Fraction

import numpy as np


def matrices(n_outputs, n_taps, points):
    """A (outputs x products), G (products x taps), B (products x inputs) for these finite points and infinity."""
    n = n_outputs + n_taps - 1
    if len(set(points)) != n - 1:
        raise ValueError(f'{n_outputs} outputs of {n_taps} taps need {n - 1} distinct points, not {points}')
    points = [Fraction(p) for p in points]
    A = [[p ** j for p in points] + [int(j == n_outputs - 1)] for j in range(n_outputs)]
    G, B = [], []
    for p in points:
        others = [q for q in points if q != p]
        scale = np.prod([p - q for q in others])
        G.append([p ** j / scale for j in range(n_taps)])
        B.append(_monic_with_roots(others) + [0])
    G.append([int(j == n_taps - 1) for j in range(n_taps)])
    B.append(_monic_with_roots(points))
    return tuple(np.array(M, dtype=np.float64) for M in (A, G, B))


def _monic_with_roots(roots):
    """Coefficients, lowest power first, of prod (x - root)."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [Fraction(0)] + coefficients, [-root * c for c in coefficients] + [Fraction(0)]
        coefficients = [a + b for a, b in zip(shifted, scaled)]
    return coefficients
