"""Every network of the papers, from their tables alone, in plain NumPy: slow, and in whatever precision is given.

Parameters come by the names of the snapshots; `widths` are numbers of maps. Arrays of other shapes are refused.
"""
from collections import namedtuple

import numpy as np

EPS = 2e-5  # of every normalization of activations
Generator = namedtuple('Generator', 'bottom_width units tail')  # names of the last batch norm and convolution
CNNGenerator = namedtuple('CNNGenerator', 'bottom_width units tail', defaults=('8 4 2 1', 'c5'))
Discriminator = namedtuple('Discriminator', 'image_size units dense')  # 'd': halves the size
CNN = namedtuple('CNN', 'image_size units slope', defaults=('1 1 2 2 4 4 8', .1))  # every second convolution halves it

GENERATORS = {
    'resnet_32': Generator(4, '1 1 1 1', ('b5', 'c5')),
    'resnet_48': Generator(6, '8 4 2 1', ('b5', 'c5')),
    'resnet_64': Generator(4, '16 8 4 2 1', ('b6', 'l6')),
    'resnet': Generator(4, '16 16 8 4 2 1', ('b7', 'l7')),
    'resnet_small': Generator(4, '8 8 4 4 2 1', ('b7', 'l7')),
    'resnet_256': Generator(4, '16 16 8 8 4 2 1', ('b8', 'l8')),
    'cnn_32': CNNGenerator(4),
    'cnn_48': CNNGenerator(6),
    'cnn_gan_lib_32': CNNGenerator(4, tail='dc5'),
}
DISCRIMINATORS = {
    'snresnet_32': Discriminator(32, '1d 1d 1 1', 'l5'),
    'gulrajani_32': Discriminator(32, '1d 1d 1 1', 'l5'),
    'snresnet_48': Discriminator(48, '1d 2d 4d 8d 16', 'l6'),
    'snresnet_64': Discriminator(64, '1d 2d 4d 8d 16d', 'l6'),
    'snresnet': Discriminator(128, '1d 2d 4d 8d 16d 16', 'l7'),
    'snresnet_small': Discriminator(128, '1d 2d 4d 4d 8d 8', 'l7'),
    'snresnet_256': Discriminator(256, '1d 2d 4d 8d 8d 16d 16', 'l8'),
    'sncnn_32': CNN(32),
    'sncnn_48': CNN(48),
    'sncnn_gan_lib_32': CNN(32, '1 2 2 4 4 8 8', .2),
}


def generator(table, widths, p, z, condition=None, train=True, activate=None, channels=3):
    """Images (B, channels, H, W) from latents z (B, dim_z); condition (B, n_classes) holds the weight of each class."""
    def batch_norm(name, x, conditional=False):
        per_channel = (x.shape[1], *(1,) * (x.ndim - 2))
        mean, var = (p[f'{name}/avg_{kind}'].reshape(per_channel) for kind in ('mean', 'var'))
        x = normalized(x, (0, *range(2, x.ndim))) if train else (x - mean) / (var + EPS) ** .5
        gamma, beta = ((condition @ p[f'{name}/{kind}s/W'] if conditional else p[f'{name}/{kind}'])
                       for kind in ('gamma', 'beta'))
        return (activate or rectified)(gamma.reshape(-1, *per_channel) * x + beta.reshape(-1, *per_channel))

    def convolution(name, x, width, k=3):
        return convolve(x, p[f'{name}/W'], p[f'{name}/b'], width, k)

    is_cnn = isinstance(table, CNNGenerator)
    h = z @ p['l1/W'].T + p['l1/b']
    h = batch_norm('b1', h) if table.tail == 'dc5' else h
    h = h.reshape(len(z), widths[0], table.bottom_width, table.bottom_width)
    for i, width in enumerate(widths[1:], 2):
        if is_cnn:
            h = batch_norm(f'b{i}', deconvolve(h, p[f'dc{i}/W'], p[f'dc{i}/b'], width))
            continue
        name, conditional = f'block{i}', condition is not None
        residual = batch_norm(f'{name}/b1', h, conditional).repeat(2, axis=2).repeat(2, axis=3)
        residual = convolution(f'{name}/c1', residual, width)
        residual = convolution(f'{name}/c2', batch_norm(f'{name}/b2', residual, conditional), width)
        h = residual + convolution(f'{name}/c_sc', h.repeat(2, axis=2).repeat(2, axis=3), width, 1)
    if table.tail == 'dc5':  # a deconvolution of stride 1 is a convolution with the kernel turned round
        W = p['dc5/W'].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        return np.tanh(convolve(h, W, p['dc5/b'], channels))
    h = h if is_cnn else batch_norm(table.tail[0], h)
    return np.tanh(convolution('c5' if is_cnn else table.tail[1], h, channels))


def discriminator(table, widths, p, x, condition=None, kind='projection', norm='spectral', activate=None, vectors=None):
    """Outputs (B, 1). `kind`: projection, concat or classifier, with 'mean' where that is pooled."""
    def activated(h):
        return activate(h) if activate else rectified(h, getattr(table, 'slope', 0))

    def convolution(name, h, width, k=3, stride=1):
        return convolve(h, weight(p, name, norm, vectors), p[f'{name}/b'], width, k, stride)

    def between(name, h):
        if norm not in ('layer', 'batch'):
            return activated(h)
        h = normalized(h, (1, 2, 3) if norm == 'layer' else (0, 2, 3))
        return activated(h + p[f'{name}/beta'].reshape(h.shape[1], 1, 1))

    if isinstance(table, CNN):
        h = activated(convolution('c1', x, widths[0]))
        for i, width in enumerate(widths[1:], 2):
            h = between(f'n{i}', convolution(f'c{i}', h, width, 4 - i % 2, 2 - i % 2))
        return h.reshape(len(x), -1) @ weight(p, 'l8', norm, vectors).T + p['l8/b']

    h = pool(convolution('block1/c2', activated(convolution('block1/c1', x, widths[0])), widths[0]))
    h = h + convolution('block1/c_sc', pool(x), widths[0], 1)
    for i, (width, unit) in enumerate(zip(widths[1:], table.units.split()[1:], strict=True), 2):
        name = f'block{i}'
        if 'concat' in kind and condition is not None and i == (3 if table.image_size == 32 else 4):
            embedded = condition @ weight(p, 'l_y', norm, vectors)
            h = np.concatenate([h, embedded[:, :, None, None] + 0 * h[:, :1]], axis=1)
        residual = convolution(f'{name}/c1', between(f'{name}/n1', h), h.shape[1])
        residual = convolution(f'{name}/c2', between(f'{name}/n2', residual), width)
        shortcut = convolution(f'{name}/c_sc', h, width, 1) if 'd' in unit or h.shape[1] != width else h
        h = pool(residual) + pool(shortcut) if 'd' in unit else residual + shortcut
    phi = activated(h).mean((2, 3)) if 'mean' in kind else activated(h).sum((2, 3))
    output = phi @ weight(p, table.dense, norm, vectors).T
    if table.dense != 'l5' or 'mean' in kind or 'classifier' in kind:  # Table 4 has none
        output = output + p[f'{table.dense}/b']
    if 'projection' in kind and condition is not None:
        output = output + (condition @ weight(p, 'l_y', norm, vectors) * phi).sum(1)[:, None]
    return output


def weight(p, name, norm, vectors):
    """W_bar (d_out, d_in); `vectors`: {name: (u, v)} in place of those after a round of power iteration (eq. 18)."""
    if norm == 'singular_values':
        return p[f'{name}/U'] * p[f'{name}/S'] @ p[f'{name}/V'].T
    W = p[f'{name}/W'].reshape(len(p[f'{name}/W']), -1)
    scale = np.linalg.norm(W, axis=1, keepdims=True) if norm == 'weight' else 1
    if norm == 'spectral':
        u, v = singular_vectors(W, p[f'{name}/u']) if vectors is None else vectors[name]
        scale = (u @ W @ v.T).item()
    elif norm == 'frobenius':
        scale = np.linalg.norm(W)
    return (p[f'{name}/gamma'].reshape(-1, 1) if f'{name}/gamma' in p else 1) * W / scale


def singular_vectors(W, u):
    v = u @ W / np.linalg.norm(u @ W)
    return v @ W.T / np.linalg.norm(v @ W.T), v


def normalized(x, axes):
    centred = x - x.mean(axes, keepdims=True)
    return centred / ((centred ** 2).mean(axes, keepdims=True) + EPS) ** .5


def rectified(x, slope=0):
    return np.where(x > 0, x, slope * x)


def pool(x):
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def convolve(x, W, b, width, k=3, stride=1):
    """Padded so that the size stays, or at stride 2 is halved."""
    W, b, pad = W.reshape(width, x.shape[1], k, k), b.reshape(width, 1, 1), (k - 1) // 2
    h, w = x.shape[2] // stride, x.shape[3] // stride
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return b + sum(np.einsum('bchw,oc->bohw', padded[:, :, i:, j:][:, :, ::stride, ::stride][:, :, :h, :w],
                             W[:, :, i, j], optimize=True) for i, j in np.ndindex(k, k))


def deconvolve(x, W, b, width):
    """4×4, of stride 2."""
    W, (h, w) = W.reshape(x.shape[1], width, 4, 4), (2 * x.shape[2], 2 * x.shape[3])
    y = np.zeros((len(x), width, h + 2, w + 2), x.dtype)
    for i, j in np.ndindex(4, 4):
        y[:, :, i:, j:][:, :, :h:2, :w:2] += np.einsum('bchw,co->bohw', x, W[:, :, i, j], optimize=True)
    return y[:, :, 1:-1, 1:-1] + b.reshape(width, 1, 1)
