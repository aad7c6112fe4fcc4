"""What is added to the discriminator's loss. Each is a scalar Variable, not yet multiplied by its weight."""
import chainer
import chainer.functions as F
from chainer import backend

TINY = 1e-24  # under a root, so that its gradient is finite where the discriminator is flat


def gradient_penalty(dis, x_hat, y=None):
    """Ê[(‖∇D(x̂)‖₂ − 1)²] (eq. 29), differentiable with respect to the parameters of D.

    Args:
        dis: a function of (x, y) whose output (B, 1) of one sample depends on that sample alone. Batch normalization
            breaks this; then the gradient is that of the outputs' sum.
        x_hat: array (B, 3, H, W), the points of eq. 30.
        y: labels (B,) given to `dis`, or None.
    """
    x_hat = chainer.Variable(x_hat)
    gradient, = chainer.grad([dis(x_hat, y)], [x_hat], enable_double_backprop=True)
    norm = F.sqrt(F.sum(gradient * gradient, axis=(1, 2, 3)) + TINY)
    return F.mean((norm - 1.) ** 2)


def interpolate(x_real, x_fake, epsilon):
    """x̂ = ε x + (1 − ε) x̃ (eq. 30) of arrays (B, 3, H, W), with ε (B,) in [0, 1]."""
    epsilon = epsilon.reshape(-1, 1, 1, 1)
    return epsilon * x_real + (1 - epsilon) * x_fake


def orthonormal_penalty(W):
    """‖WᵀW − I‖²_F (eq. 14), taken on the smaller Gram matrix, of a weight (d_out, …) seen as (d_out, d_in).

    Where d_out < d_in that is WWᵀ: the difference to eq. 14 as it stands is the constant d_in − d_out.
    """
    W = F.reshape(W, (W.shape[0], -1))
    gram = F.matmul(W, W, transb=True) if W.shape[0] <= W.shape[1] else F.matmul(W, W, transa=True)
    xp = backend.get_array_module(W)
    difference = gram - xp.eye(len(gram), dtype=gram.dtype)
    return F.sum(difference * difference)


def spectral_norm_penalty(W, u, v):
    """σ(W)² / 2 (Yoshida & Miyato, 2017, eq. 5) of a weight (d_out, …) seen as (d_out, d_in).

    u (1, d_out) and v (1, d_in) are arrays, the first singular vectors, and count as constants.
    """
    W = F.reshape(W, (W.shape[0], -1))
    sigma = F.sum(F.matmul(u, W) * v)
    return sigma * sigma / 2
