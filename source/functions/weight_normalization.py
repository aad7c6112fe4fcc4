"""Weights divided by a Euclidean norm: of each row (eq. 25) or of the whole matrix (eq. 26)."""
import chainer.functions as F

TINY = 1e-24  # added to squared norms: a row of zeros stays zero, and its gradient finite


def _divided_by_norm(W, axis):
    norm = F.sqrt(F.sum(W * W, axis=axis, keepdims=True) + TINY)
    return W / F.broadcast_to(norm, W.shape)


def weight_normalization(W):
    """Eq. 25: each row w_i of W, Variable (d_out, …), becomes w_i / ‖w_i‖₂ (Salimans & Kingma, 2016)."""
    return _divided_by_norm(W, tuple(range(1, W.ndim)))


def frobenius_normalization(W):
    """Eq. 26: W / ‖W‖_F, for a Variable of any shape. Its gradient is eq. 36."""
    return _divided_by_norm(W, tuple(range(W.ndim)))
