import chainer.functions as F


def layer_normalize(x, beta, eps=2e-5):
    """Each sample's mean becomes 0 and its variance 1, over channels and pixels alike (Ba et al., 2016); then + beta.

    x: Variable (B, C, H, W); beta: Variable (C,). There is no multiplier, as in the paper's comparisons (section 4.1).
    """
    mean = F.mean(x, axis=(1, 2, 3), keepdims=True)
    centred = x - F.broadcast_to(mean, x.shape)
    inv_std = (F.mean(centred * centred, axis=(1, 2, 3), keepdims=True) + eps) ** -.5
    return centred * F.broadcast_to(inv_std, x.shape) + F.broadcast_to(F.reshape(beta, (1, -1, 1, 1)), x.shape)
