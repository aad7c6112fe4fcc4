"""Trains DigitsNet on distorted digits, so that it judges a generated digit's shape rather than its finish."""
import chainer
import chainer.functions as F
import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

BATCHSIZE = 64
ALPHA = 2e-3
WEIGHT_DECAY = 1e-4


def train_digits_net(net, ims, labels, epochs, rng, report=lambda epoch, loss: None):
    """Train `net` in place on ims, uint8 (N, 3, H, W), and labels, int32 (N,), shuffled and distorted from `rng`.

    Adam, its step falling linearly to 0; `report(epoch, mean loss)` is called after each epoch, counted from 1.
    """
    optimizer = chainer.optimizers.Adam(alpha=ALPHA).setup(net)
    optimizer.add_hook(chainer.optimizer_hooks.WeightDecay(WEIGHT_DECAY))
    x = net.scale(ims)
    for epoch in range(epochs):
        order = rng.permutation(len(ims))
        losses = []
        for start in range(0, len(ims), BATCHSIZE):
            optimizer.alpha = ALPHA * (1. - (epoch + start / len(ims)) / epochs)
            batch = order[start:start + BATCHSIZE]
            loss = F.softmax_cross_entropy(net.logits(net.features(distort(x[batch], rng))), labels[batch])
            net.cleargrads()
            loss.backward()
            optimizer.update()
            losses.append(float(loss.array))
        report(epoch + 1, float(np.mean(losses)))


def distort(x, rng):
    """Return x, float32 (B, 3, H, W) in [-1, 1], drawn by another hand: moved, turned, blurred, faded and noisy.

    Each image is shifted by up to 1/12 of its side, turned by up to 12 degrees, scaled and sheared by up to 12 %;
    half are blurred; contrast falls to no less than 0.7; the noise has a standard deviation of up to 0.15.
    """
    n, _, height, width = x.shape
    grey = x[:, 0]
    grey = map_coordinates(grey, _moved_coordinates(n, height, width, rng), order=1, cval=-1.)
    blurred = gaussian_filter1d(gaussian_filter1d(grey, height / 20, axis=1), width / 20, axis=2)
    grey = grey + _per_image(rng.uniform(-1., 1., n).clip(0.)) * (blurred - grey)
    grey = (grey + 1.) * _per_image(rng.uniform(.7, 1., n)) - 1.
    grey = grey + _per_image(rng.uniform(0., .15, n)) * rng.normal(size=grey.shape)
    return np.repeat(grey.clip(-1., 1.).astype(np.float32)[:, None], 3, axis=1)


def _moved_coordinates(n, height, width, rng):
    # For every output pixel, where in its image it is taken from: shift + A (pixel - centre) + centre.
    angle = np.deg2rad(rng.uniform(-12., 12., n))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(n, 2, 2)
    matrix = turn @ (np.eye(2) + rng.uniform(-.12, .12, (n, 2, 2)))
    extents = np.array([height, width])
    shift = rng.uniform(-1., 1., (n, 2)) * extents / 12. + (extents - 1) / 2.
    pixels = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing='ij'), axis=-1) - (extents - 1) / 2.
    moved = np.einsum('nij,hwj->inhw', matrix, pixels) + shift.T[:, :, None, None]
    images = np.broadcast_to(np.arange(n)[:, None, None], (n, height, width))
    return np.stack([images, *moved])


def _per_image(values):
    return values[:, None, None]
