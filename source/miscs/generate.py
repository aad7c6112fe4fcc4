"""Images from a generator, as 8-bit arrays."""
import chainer
import numpy as np


def to_uint8(x):
    """x float (B, 3, H, W) in [-1, 1] → ims uint8 (B, 3, H, W)."""
    return np.clip(x * 127.5 + 127.5, 0., 255.).astype(np.uint8)


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
    for start in range(0, n, batchsize):
        size = min(batchsize, n - start)
        y = None
        if gen.n_classes > 0:
            y = sampler.categorical(size) if labels is None else labels[start:start + size]
            y = np.asarray(y, np.int32)
        z = sampler.continuous(size)
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            x = gen(size, z=gen.device.send(z), y=None if y is None else gen.device.send(y))
        yield to_uint8(chainer.backends.cuda.to_cpu(x.array)), y


def generate_ims(gen, n, sampler, labels=None, batchsize=100):
    """All batches of `generate_batches` in one: ims uint8 (n, 3, H, W), and labels int32 (n,) or None."""
    ims, ys = zip(*generate_batches(gen, n, sampler, labels, batchsize), strict=True)
    return np.concatenate(ims), None if ys[0] is None else np.concatenate(ys)
