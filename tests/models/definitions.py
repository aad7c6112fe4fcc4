"""Every network of the papers, from their tables alone; `ops` says whether in NumPy or in PyTorch.

Parameters come as a dictionary by the names of the snapshots, shapes and values alike, so that nothing of the Chainer
networks but their arrays enters here.
"""
from collections import namedtuple

import numpy as np

EPS = 2e-5  # of batch normalization
Generator = namedtuple('Generator', 'bottom_width bottom blocks tail')
Discriminator = namedtuple('Discriminator', 'image_size blocks dense')  # 'd' in blocks: halves the size

GENERATORS = {
    'resnet_32': Generator(4, 1, '1 1 1', ('b5', 'c5')),
    'resnet_48': Generator(6, 8, '4 2 1', ('b5', 'c5')),
    'resnet_64': Generator(4, 16, '8 4 2 1', ('b6', 'l6')),
    'resnet': Generator(4, 16, '16 8 4 2 1', ('b7', 'l7')),
    'resnet_small': Generator(4, 8, '8 4 4 2 1', ('b7', 'l7')),
    'resnet_256': Generator(4, 16, '16 8 8 4 2 1', ('b8', 'l8')),
}
DISCRIMINATORS = {
    'snresnet_32': Discriminator(32, '1d 1d 1 1', 'l5'),
    'snresnet_48': Discriminator(48, '1d 2d 4d 8d 16', 'l6'),
    'snresnet_64': Discriminator(64, '1d 2d 4d 8d 16d', 'l6'),
    'snresnet': Discriminator(128, '1d 2d 4d 8d 16d 16', 'l7'),
    'snresnet_small': Discriminator(128, '1d 2d 4d 4d 8d 8', 'l7'),
    'snresnet_256': Discriminator(256, '1d 2d 4d 8d 8d 16d 16', 'l8'),
}


def generator(ops, table, p, z, condition=None, train=True, activation='relu'):
    """Images (B, 3, H, W) from latents z (B, dim_z); condition (B, n_classes) holds the weight of each class."""
    activate = getattr(ops, activation)

    def batch_norm(name, x, gamma, beta):
        statistics = None if train else (p[f'{name}/avg_mean'], p[f'{name}/avg_var'])
        return gamma[:, :, None, None] * ops.normalize(x, statistics, EPS) + beta[:, :, None, None]

    def unconditional(name, x):
        return batch_norm(name, x, p[f'{name}/gamma'][None], p[f'{name}/beta'][None])

    def conditional(name, x):
        return batch_norm(name, x, condition @ p[f'{name}/gammas/W'], condition @ p[f'{name}/betas/W'])

    def block(name, x):
        norm = unconditional if condition is None else conditional
        h = ops.upsample(activate(norm(f'{name}/b1', x)))
        h = ops.convolve(h, p[f'{name}/c1/W'], p[f'{name}/c1/b'])
        h = activate(norm(f'{name}/b2', h))
        h = ops.convolve(h, p[f'{name}/c2/W'], p[f'{name}/c2/b'])
        return h + ops.convolve(ops.upsample(x), p[f'{name}/c_sc/W'], p[f'{name}/c_sc/b'])

    h = z @ p['l1/W'].T + p['l1/b']
    h = h.reshape(len(z), -1, table.bottom_width, table.bottom_width)
    for i, _ in enumerate(table.blocks.split(), 2):
        h = block(f'block{i}', h)
    norm, convolution = table.tail
    h = activate(unconditional(norm, h))
    return ops.tanh(ops.convolve(h, p[f'{convolution}/W'], p[f'{convolution}/b']))


def discriminator(ops, table, p, vectors, x, condition=None, concat=False, activation='relu'):
    """Outputs (B, 1) and pooled features; `vectors` are the singular vectors, constants to the gradient."""
    activate = getattr(ops, activation)

    def W_bar(name):
        W, (u, v) = p[f'{name}/W'], vectors[name]
        return W / (u @ W.reshape(len(W), -1) @ v.T)[0, 0]

    def convolve(name, h):
        return ops.convolve(h, W_bar(name), p[f'{name}/b'])

    def first_block(name, x):
        h = convolve(f'{name}/c2', activate(convolve(f'{name}/c1', x)))
        return ops.pool(h) + convolve(f'{name}/c_sc', ops.pool(x))

    def block(name, x, halves, learned_shortcut):
        h = convolve(f'{name}/c2', activate(convolve(f'{name}/c1', activate(x))))
        shortcut = convolve(f'{name}/c_sc', x) if learned_shortcut else x
        return ops.pool(h) + ops.pool(shortcut) if halves else h + shortcut

    h = first_block('block1', x)
    widths = table.blocks.split()
    for i, (before, after) in enumerate(zip(widths, widths[1:], strict=False), 2):
        joins = concat and condition is not None and i == 4
        if joins:
            embedded = condition @ W_bar('l_y')
            h = ops.concatenate([h, embedded[:, :, None, None] + 0 * h[:, :1]])
        halves = after.endswith('d')
        h = block(f'block{i}', h, halves, halves or joins or before.rstrip('d') != after)
    phi = activate(h).sum((2, 3))
    output = phi @ W_bar(table.dense).T
    if f'{table.dense}/b' in p:
        output = output + p[f'{table.dense}/b']
    if condition is not None and not concat:
        output = output + (condition @ W_bar('l_y') * phi).sum(1)[:, None]
    return output, phi


def singular_vectors(p, Ip=1):
    """{name: (u, v)} of every weight beside a `u`, after Ip rounds of power iteration (eq. 18), in float64."""
    vectors = {}
    for name in [key[:-2] for key in p if key.endswith('/u')]:
        u, W = p[f'{name}/u'].astype(np.float64), p[f'{name}/W'].astype(np.float64)
        W = W.reshape(len(W), -1)
        for _ in range(Ip):
            v = u @ W
            v /= np.linalg.norm(v) + 1e-12
            u = v @ W.T
            u /= np.linalg.norm(u) + 1e-12
        vectors[name] = u, v
    return vectors
