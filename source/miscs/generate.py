"""Images from a generator, as 8-bit arrays."""
import chainer
import numpy as np
from chainer.backends import cuda

GPU_PIXELS = 1 << 20  # of images generated at a time on a GPU, which fewer would leave waiting for Python


def to_uint8(x):
    """x float (B, 3, H, W) in [-1, 1] → ims uint8 (B, 3, H, W), NumPy or CuPy."""
    xp = cuda.get_array_module(x)
    return xp.clip(x.astype(np.float32, copy=False) * 127.5 + 127.5, 0., 255.).astype(np.uint8)


def generate_batches(gen, n, sampler, labels=None, batchsize=100):
    """Generates n images in test mode, batch by batch.

    Args:
        gen: a generator.
        n: number of images.
        sampler: gives the latents and, where `labels` is None, the labels, batch by batch.
        labels: int (n,), for a conditional generator.
        batchsize: images at a time; n need not be a multiple.

    Yields:
        ims uint8 (B, 3, H, W), and their labels int32 (B,), or None for an unconditional generator.
    """
    start, n_at_once = 0, batchsize
    while start < n:
        drawn = [_draw(gen, first, min(batchsize, n - first), sampler, labels)
                 for first in range(start, min(start + n_at_once, n), batchsize)]
        z = np.concatenate([z for z, _ in drawn])
        y = None if drawn[0][1] is None else np.concatenate([y for _, y in drawn])
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            x = gen(len(z), z=gen.device.send(z), y=None if y is None else gen.device.send(y))
        ims = cuda.to_cpu(to_uint8(x.array))
        for first in range(0, len(ims), batchsize):
            yield ims[first:first + batchsize], None if y is None else y[first:first + batchsize]
        start += len(ims)
        if gen.xp is cuda.cupy:
            n_at_once = max(1, GPU_PIXELS // (x.shape[2] * x.shape[3] * batchsize)) * batchsize


def _draw(gen, start, size, sampler, labels):
    """z and y of a batch, in the order that every device shares."""
    y = None
    if gen.n_classes > 0:
        y = sampler.categorical(size) if labels is None else labels[start:start + size]
        y = np.asarray(y, np.int32)
    return sampler.continuous(size), y


def generate_ims(gen, n, sampler, labels=None, batchsize=100):
    """All batches of `generate_batches` in one: ims uint8 (n, 3, H, W), and labels int32 (n,) or None."""
    ims, ys = zip(*generate_batches(gen, n, sampler, labels, batchsize), strict=True)
    return np.concatenate(ims), None if ys[0] is None else np.concatenate(ys)
