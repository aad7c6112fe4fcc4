"""Images from a generator, as 8-bit arrays."""
import chainer
import numpy as np
from chainer.backends import cuda

GPU_PIXELS = 1 << 20  # of images generated at a time on a GPU, which fewer would leave waiting for Python


def to_uint8(x):
    """x float (B, C, H, W) in [-1, 1] → ims uint8 (B, C, H, W), NumPy or CuPy."""
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
        ims uint8 (B, C, H, W), and their labels int32 (B,), or None for an unconditional generator.
    """
    start, n_at_once = 0, batchsize
    while start < n:
        size = min(n_at_once, n - start)
        z, y = generator_inputs(gen, sampler, size, None if labels is None else labels[start:start + size], batchsize)
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            x = gen(size, z=z, y=y)
        ims, y = cuda.to_cpu(to_uint8(x.array)), None if y is None else cuda.to_cpu(y)
        for first in range(0, size, batchsize):
            part = slice(first, first + batchsize)
            yield ims[part], None if y is None else y[part]
        start += size
        if gen.xp is cuda.cupy:
            n_at_once = max(1, GPU_PIXELS // (x.shape[2] * x.shape[3] * batchsize)) * batchsize


def generator_inputs(gen, sampler, n, labels=None, batchsize=None):
    """Return n latents, float32 (n, dim_z), and labels, int32 (n,) or None without classes, on the generator's device.

    Labels are drawn before latents, unless they are given; with `batchsize` both are drawn that many at a time.
    """
    zs, ys = [], []
    for first in range(0, n, batchsize or n):
        part = slice(first, min(first + (batchsize or n), n))
        if gen.n_classes > 0:
            ys.append(np.asarray(sampler.categorical(part.stop - first) if labels is None else labels[part], np.int32))
        zs.append(sampler.continuous(part.stop - first))
    return gen.device.send(np.concatenate(zs)), gen.device.send(np.concatenate(ys)) if ys else None


def generate_from(gen, z, y=None, weights=None, batchsize=100):
    """ims uint8 (n, C, H, W) of latents z (n, dim_z), in test mode.

    y: labels int (n,); or int (n, k) that `weights`, float (n, k), blend in conditional batch normalization.
    """
    ims = []
    for start in range(0, len(z), batchsize):
        part = slice(start, start + batchsize)
        inputs = {'z': np.asarray(z[part], np.float32)}
        if y is not None:
            inputs['y'] = np.asarray(y[part], np.int32)
        if weights is not None:
            inputs['weights'] = np.asarray(weights[part], np.float32)
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            x = gen(len(inputs['z']), **{name: gen.device.send(array) for name, array in inputs.items()})
        ims.append(cuda.to_cpu(to_uint8(x.array)))
    return np.concatenate(ims)


def generate_ims(gen, n, sampler, labels=None, batchsize=100):
    """All batches of `generate_batches` in one: ims uint8 (n, C, H, W), and labels int32 (n,) or None."""
    ims, ys = zip(*generate_batches(gen, n, sampler, labels, batchsize), strict=True)
    return np.concatenate(ims), None if ys[0] is None else np.concatenate(ys)
