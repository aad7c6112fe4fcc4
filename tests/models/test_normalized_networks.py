"""Discriminators of every normalization, head and width, written out in plain NumPy from their snapshots' arrays."""
from dis_models import gulrajani_32, sncnn_32, sncnn_gan_lib_32, snresnet_32, snresnet_48, snresnet_64
from dis_models.base import scaled_widths
from gen_models import cnn_gan_lib_32
from source.functions.activation import LeakyReLU
from source.links.norms import NORMS, WITH_GAMMA
from tests.models import numpy_operations as ops
from tests.models.cases import arrays_of
from tests.models.definitions import EPS, singular_vectors
from tests.models.test_cnns import NumPy

import chainer
import numpy as np
import pytest

N_CLASSES = 3
DEFINITIONS = {
    'projection': (snresnet_32.SNResNetProjectionDiscriminator, '1d 1d 1 1', 'l5'),
    'projection 48': (snresnet_48.SNResNetProjectionDiscriminator, '1d 2d 4d 8d 16', 'l6'),
    'projection 64': (snresnet_64.SNResNetProjectionDiscriminator, '1d 2d 4d 8d 16d', 'l6'),
    'concat': (snresnet_32.SNResNetConcatDiscriminator, '1d 1d 1 1', 'l5'),
    'ac': (snresnet_32.SNResNetACDiscriminator, '1d 1d 1 1', 'l5'),
    'mean pooling': (gulrajani_32.ResNetDiscriminator, '1d 1d 1 1', 'l5'),
    'mean pooling, ac': (gulrajani_32.ResNetACDiscriminator, '1d 1d 1 1', 'l5'),
}


def normalized_weights(p, norm):
    """{link: W_bar} in float64 from a snapshot's arrays."""
    vectors = singular_vectors(p) if norm == 'spectral' else {}
    weights = {}
    for name in {key.rpartition('/')[0] for key in p if key.endswith(('/W', '/U'))}:
        if norm == 'singular_values':
            product = p[f'{name}/U'] * p[f'{name}/S'] @ p[f'{name}/V'].T
            k = 1 if 'c_sc' in name else 3
            weights[name] = product.reshape(len(product), -1, k, k) if '/c' in name else product
            continue
        W = p[f'{name}/W']
        rows = W.reshape(len(W), -1)
        if norm == 'spectral':
            u, v = vectors[name]
            scale = (u @ rows @ v.T)[0, 0]
        elif norm == 'weight':
            scale = np.linalg.norm(rows, axis=1).reshape(-1, *(1,) * (W.ndim - 1))
        else:
            scale = np.linalg.norm(W) if norm == 'frobenius' else 1
        weights[name] = p.get(f'{name}/gamma', 1) * W / scale
    return weights


def resnet(p, norm, blocks, dense, x, y, network):
    W = normalized_weights(p, norm)

    def convolve(name, h):
        return ops.convolve(h, W[name], p[f'{name}/b'])

    def activated(name, h):
        if norm in ('layer', 'batch'):
            axes = (1, 2, 3) if norm == 'layer' else (0, 2, 3)
            h = (h - h.mean(axes, keepdims=True)) / np.sqrt(h.var(axes, keepdims=True) + EPS)
            h = h + p[f'{name}/beta'][:, None, None]
        return ops.relu(h)

    h = ops.pool(convolve('block1/c2', ops.relu(convolve('block1/c1', x)))) + convolve('block1/c_sc', ops.pool(x))
    for i, block in enumerate(blocks.split()[1:], 2):
        name = f'block{i}'
        if network == 'concat' and i == 3:
            h = np.concatenate([h, W['l_y'][y][:, :, None, None] + 0 * h[:, :1]], axis=1)
        residual = convolve(f'{name}/c1', activated(f'{name}/n1', h))
        residual = convolve(f'{name}/c2', activated(f'{name}/n2', residual))
        shortcut = convolve(f'{name}/c_sc', h) if f'{name}/c_sc' in W else h
        h = ops.pool(residual) + ops.pool(shortcut) if 'd' in block else residual + shortcut
    h = ops.relu(h)
    phi = h.mean((2, 3)) if 'mean' in network else h.sum((2, 3))
    output = phi @ W[dense].T + p.get(f'{dense}/b', 0)
    if network.startswith('projection'):
        output = output + (W['l_y'][y] * phi).sum(1, keepdims=True)
    return output, phi


def shift(dis):
    """Biases, shifts and multipliers away from their initial values."""
    rng = np.random.RandomState(5)
    for path, param in sorted(dis.namedparams()):
        if path.endswith(('/b', '/beta')):
            param.array[...] = rng.normal(size=param.shape) / 4
        if path.endswith('/gamma'):
            param.array *= rng.uniform(.5, 2, param.shape).astype('f')


def check_resnet(network, norm, cpu_kernels=True, **kwargs):
    cls, blocks, dense = DEFINITIONS[network]
    n_classes = 0 if network == 'mean pooling' else N_CLASSES
    dis = cls(n_classes=n_classes, norm=norm, **({'dim_emb': 4} if network == 'concat' else {}), **kwargs)
    shift(dis)
    p = {name: array.astype(np.float64) for name, array in arrays_of(dis).items()}
    rng = np.random.RandomState(1)
    x = rng.uniform(-1, 1, (2, 3, dis.image_size, dis.image_size))
    y = np.array([0, 2], 'i') if n_classes else None
    with chainer.using_config('cpu_kernels', cpu_kernels), chainer.no_backprop_mode():
        output = dis(x.astype('f'), y).array
    expected, phi = resnet(p, norm, blocks, dense, x, y, network)
    assert np.abs(expected - p.get(f'{dense}/b', 0)).max() > 1e-4
    np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    return dis, p


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('network', DEFINITIONS)
def test_resnets(network, norm):
    check_resnet(network, norm, ch=4)


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('cpu_kernels', [True, False])
def test_wide_resnet(norm, cpu_kernels):
    check_resnet('projection', norm, cpu_kernels, ch=16)


@pytest.mark.parametrize('norm', WITH_GAMMA)
def test_gamma(norm):
    dis, p = check_resnet('projection', norm, ch=4, use_gamma=True)
    assert {name for name in p if name.endswith('gamma')} == {
        f'{name[:-2]}/gamma' for name in p if name.endswith('/W') and 'l_y' not in name}


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('module, slope, widths', [
    (sncnn_32, .1, (1, 1, 2, 2, 4, 4, 8)), (sncnn_gan_lib_32, .2, (1, 2, 2, 4, 4, 8, 8))])
def test_cnns(module, slope, widths, norm):
    dis = module.SNCNNDiscriminator(ch=4, norm=norm)
    if module is sncnn_gan_lib_32:
        for param in dis.params():
            param.array *= 1 if param.name in 'USV' else 10  # outputs of such small weights are those of no weights
    shift(dis)
    p = {name: array.astype(np.float64) for name, array in arrays_of(dis).items()}
    x = np.random.RandomState(1).uniform(-1, 1, (2, 3, 32, 32))
    with chainer.no_backprop_mode():
        output = dis(x.astype('f')).array
    W = normalized_weights(p, norm)
    h, before = x, 3
    for i, units in enumerate(widths, 1):
        k = 4 - i % 2
        h = NumPy.convolve(h, W[f'c{i}'].reshape(4 * units, before, k, k), p[f'c{i}/b'], 2 - i % 2)
        if norm in ('layer', 'batch') and i > 1:
            axes = (1, 2, 3) if norm == 'layer' else (0, 2, 3)
            h = (h - h.mean(axes, keepdims=True)) / np.sqrt(h.var(axes, keepdims=True) + EPS)
            h = h + p[f'n{i}/beta'][:, None, None]
        h = np.where(h > 0, h, slope * h)
        before = 4 * units
    expected = h.reshape(2, -1) @ W['l8'].T + p['l8/b']
    np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert np.abs(expected - p['l8/b']).max() > 1e-3


@pytest.mark.parametrize('network', DEFINITIONS)
def test_without_a_norm_named_it_is_spectral(network):
    """The same draws, names and arrays as if the argument were not there."""
    cls = DEFINITIONS[network][0]
    arrays = []
    for kwargs in ({}, {'norm': 'spectral', 'use_gamma': False, 'scale': 1., 'final_scale': 1.}):
        np.random.seed(0)
        arrays.append(arrays_of(cls(ch=4, n_classes=N_CLASSES, **kwargs)))
    assert list(arrays[0]) == list(arrays[1])
    for name in arrays[0]:
        np.testing.assert_array_equal(*[a[name] for a in arrays])
    assert sum(name.endswith('/u') for name in arrays[0]) == sum(name.endswith('/W') for name in arrays[0])


# Widths

def widths_of(dis):
    return [link.W.shape[0] for path, link in sorted(dis.namedlinks()) if path.endswith(('/c2', '/c6', '/c7'))]


def test_scaled_widths():
    assert scaled_widths(128, [1, 1, 1, 1], 1.5) == [192] * 4
    assert scaled_widths(64, [1, 1, 2, 2, 4, 4, 8], 1., 8.) == [64, 64, 128, 128, 256, 2048, 4096]
    assert scaled_widths(64, [1, 1, 2, 2, 4, 4, 8], 1.5, .5) == [96, 96, 192, 192, 384, 192, 384]
    with pytest.raises(ValueError, match=r'scale 0.1 and final_scale 1.0 leave no map of ch 4: widths are \[0, 0'):
        scaled_widths(4, [1, 1], .1)


def test_scale_is_of_every_layer():
    """1.5 times the maps: a network of ch=6 instead of 4."""
    for cls in (snresnet_32.SNResNetProjectionDiscriminator, sncnn_32.SNCNNDiscriminator):
        shapes = [{path: param.shape for path, param in cls(**kwargs).namedparams()}
                  for kwargs in ({'ch': 4, 'scale': 1.5}, {'ch': 6})]
        assert shapes[0] == shapes[1]
    check_resnet('projection 64', 'spectral', ch=2, scale=1.5)


def test_final_scale_is_of_the_final_layer():
    """Figure 4: its input and its output, and no other."""
    dis = sncnn_32.SNCNNDiscriminator(ch=4, final_scale=2)
    plain = sncnn_32.SNCNNDiscriminator(ch=4)
    shapes = {path: (param.shape, dict(plain.namedparams())[path].shape) for path, param in dis.namedparams()}
    assert shapes['/c7/W'] == ((64, 32, 3, 3), (32, 16, 3, 3))
    assert shapes['/c6/W'] == ((32, 16, 4, 4), (16, 16, 4, 4))
    assert shapes['/l8/W'] == ((1, 64 * 16), (1, 32 * 16))
    assert all(a == b for path, (a, b) in shapes.items() if path[:3] not in ('/c6', '/c7', '/l8'))
    dis(np.zeros((1, 3, 32, 32), 'f'))
    check_resnet('projection', 'spectral', ch=4, final_scale=2.)
    check_resnet('projection 48', 'spectral', ch=2, final_scale=.5)


# chainer-gan-lib's generator

@pytest.mark.parametrize('train', [True, False])
def test_chainer_gan_lib_generator(train):
    gen = cnn_gan_lib_32.CNNGenerator(ch=4, dim_z=5)
    rng = np.random.RandomState(0)
    for link in gen.links():
        if hasattr(link, 'avg_mean'):
            link.avg_mean[...] = rng.normal(size=link.avg_mean.shape)
            link.gamma.array[...] = rng.uniform(.5, 2, link.gamma.shape)
            link.beta.array[...] = rng.normal(size=link.beta.shape)
    p = {name: array.astype(np.float64) for name, array in arrays_of(gen).items()}
    z = rng.uniform(-1, 1, (3, 5))
    with chainer.using_config('train', train), chainer.no_backprop_mode():
        images = gen(z=z.astype('f')).array

    def normalize(name, h):
        per_channel = (-1, *(1,) * (h.ndim - 2))
        mean, var = (h.mean((0, *range(2, h.ndim))), h.var((0, *range(2, h.ndim)))) if train else (
            p[f'{name}/avg_mean'], p[f'{name}/avg_var'])
        h = (h - mean.reshape(per_channel)) / np.sqrt(var + EPS).reshape(per_channel)
        return ops.relu(p[f'{name}/gamma'].reshape(per_channel) * h + p[f'{name}/beta'].reshape(per_channel))
    h = normalize('b1', z @ p['l1/W'].T + p['l1/b']).reshape(3, 32, 4, 4)
    for i in (2, 3, 4):
        h = normalize(f'b{i}', NumPy.deconvolve(h, p[f'dc{i}/W'], p[f'dc{i}/b']))
    # A deconvolution of stride 1 is a convolution with the kernel turned round.
    W = p['dc5/W'].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
    np.testing.assert_allclose(images, np.tanh(NumPy.convolve(h, W, p['dc5/b'], 1)), rtol=1e-3, atol=1e-4)
    assert gen.distribution == 'uniform' and np.abs(images).max() > .05


def test_chainer_gan_lib_initial_values():
    for model in (cnn_gan_lib_32.CNNGenerator(), sncnn_gan_lib_32.SNCNNDiscriminator()):
        for name, array in arrays_of(model).items():
            if name.endswith('/W') and array.size > 1000:
                np.testing.assert_allclose(array.std(), .02, rtol=.1, err_msg=name)
    assert isinstance(model.activation, LeakyReLU) and model.activation.slope == .2
