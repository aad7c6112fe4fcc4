"""The standard CNN of Table 3 against the table written down in plain NumPy, and gradients against PyTorch."""
import importlib

from source.functions.activation import LeakyReLU
from tests.models.cases import _move_from_initial, arrays_of
from tests.models.definitions import EPS, singular_vectors

import chainer
import chainer.functions as F
import numpy as np
import pytest

SIZES = (32, 48)
WIDTHS = (1, 1, 2, 2, 4, 4, 8)  # of the discriminator's convolutions, every second one 4×4 of stride 2


class NumPy:
    """The table's layers, slow and in whatever precision is given."""

    @staticmethod
    def convolve(x, W, b, stride):
        k, size = W.shape[2], x.shape[2] // stride
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        taps = [np.einsum('bchw,oc->bohw', padded[:, :, i:, j:][:, :, ::stride, ::stride][:, :, :size, :size],
                          W[:, :, i, j], optimize=True) for i in range(k) for j in range(k)]
        return sum(taps) + b[:, None, None]

    @staticmethod
    def deconvolve(x, W, b):
        y = np.zeros((len(x), W.shape[1], 2 * x.shape[2] + 2, 2 * x.shape[3] + 2), x.dtype)
        for i in range(4):
            for j in range(4):
                y[:, :, i:, j:][:, :, :2 * x.shape[2]:2, :2 * x.shape[3]:2] += np.einsum(
                    'bchw,co->bohw', x, W[:, :, i, j], optimize=True)
        return y[:, :, 1:-1, 1:-1] + b[:, None, None]

    @staticmethod
    def normalize(x):
        mean = x.mean((0, 2, 3))[:, None, None]
        return (x - mean) / np.sqrt(((x - mean) ** 2).mean((0, 2, 3)) + EPS)[:, None, None]

    @staticmethod
    def leaky(x, slope):
        return np.where(x > 0, x, slope * x)

    tanh = np.tanh


def torch_operations():
    torch = pytest.importorskip('torch')

    class Torch:
        tanh, leaky = torch.tanh, staticmethod(torch.nn.functional.leaky_relu)

        @staticmethod
        def convolve(x, W, b, stride):
            return torch.nn.functional.conv2d(x, W, b, stride, 1)

        @staticmethod
        def deconvolve(x, W, b):
            return torch.nn.functional.conv_transpose2d(x, W, b, 2, 1)

        @staticmethod
        def normalize(x):
            return torch.nn.functional.batch_norm(x, None, None, training=True, eps=EPS)
    return torch, Torch


def generator(ops, p, z, bottom_width, train=True):
    h = (z @ p['l1/W'].T + p['l1/b']).reshape(len(z), -1, bottom_width, bottom_width)
    for i in (2, 3, 4):
        h = ops.deconvolve(h, p[f'dc{i}/W'], p[f'dc{i}/b'])
        if train:
            h = ops.normalize(h)
        else:
            h = (h - p[f'b{i}/avg_mean'][:, None, None]) / (p[f'b{i}/avg_var'][:, None, None] + EPS) ** .5
        h = ops.leaky(p[f'b{i}/gamma'][:, None, None] * h + p[f'b{i}/beta'][:, None, None], 0)
    return ops.tanh(ops.convolve(h, p['c5/W'], p['c5/b'], 1))


def discriminator(ops, p, vectors, x):
    def W_bar(name):
        W, (u, v) = p[f'{name}/W'], vectors[name]
        return W / (u @ W.reshape(len(W), -1) @ v.T)[0, 0]
    h = x
    for i in range(1, 8):
        h = ops.leaky(ops.convolve(h, W_bar(f'c{i}'), p[f'c{i}/b'], 2 - i % 2), .1)
    return h.reshape(len(h), -1) @ W_bar('l8').T + p['l8/b']


def build(kind, size, **kwargs):
    module, name = (f'gen_models.cnn_{size}', 'CNNGenerator') if kind == 'generator' else (
        f'dis_models.sncnn_{size}', 'SNCNNDiscriminator')
    return getattr(importlib.import_module(module), name)(**kwargs)


def example(kind, size, dtype=np.float64, ch=2, **kwargs):
    """A network away from its initial values, an input, and a direction for its output."""
    rng = np.random.RandomState(0)
    if kind == 'generator':
        kwargs['dim_z'] = 5
    with chainer.using_config('dtype', np.dtype(dtype)):
        model = build(kind, size, ch=ch, **kwargs)
    _move_from_initial(model, np.dtype(dtype), rng)
    x, R = (rng.normal(size=(3, 5)), rng.normal(size=(3, 3, size, size))) if kind == 'generator' else (
        rng.uniform(-1, 1, (2, 3, size, size)), rng.normal(size=(2, 1)))
    return model, x.astype(dtype), R.astype(dtype)


def run(kind, model, x):
    return model(z=x) if kind == 'generator' else model(x)


def expected(kind, size, p, x, ops=NumPy, vectors=None, **kwargs):
    if kind == 'generator':
        return generator(ops, p, x, size // 8, **kwargs)
    return discriminator(ops, p, vectors or singular_vectors(p), x)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind, train', [('generator', True), ('generator', False), ('discriminator', True)])
def test_output(kind, size, train):
    model, x, _ = example(kind, size)
    y_expected = expected(kind, size, arrays_of(model), x, **({} if train else {'train': False}))
    with chainer.using_config('train', train), chainer.no_backprop_mode():
        y = run(kind, model, x).array
    assert np.abs(y_expected).max() > .01
    np.testing.assert_allclose(y, y_expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', ['generator', 'discriminator'])
@pytest.mark.parametrize('cpu_kernels', [True, False])
def test_output_in_single_precision(kind, size, cpu_kernels):
    """Wide enough for the CPU's kernels."""
    model, x, _ = example(kind, size, np.float32, ch=16)
    y_expected = expected(kind, size, {k: a.astype(np.float64) for k, a in arrays_of(model).items()},
                          x.astype(np.float64))
    with chainer.using_config('cpu_kernels', cpu_kernels), chainer.no_backprop_mode():
        y = run(kind, model, x).array
    assert np.abs(y - y_expected).max() < 1e-4 * np.abs(y_expected).max()


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', ['generator', 'discriminator'])
@pytest.mark.parametrize('dtype, tolerance', [(np.float64, 1e-10), (np.float32, 1e-2)])
def test_gradients(kind, size, dtype, tolerance):
    torch, ops = torch_operations()
    model, x, R = example(kind, size, dtype, ch=2 if dtype == np.float64 else 16)
    p = arrays_of(model)
    vectors = {name: [torch.tensor(v) for v in pair] for name, pair in singular_vectors(p).items()}
    p = {name: torch.tensor(a, dtype=torch.float64, requires_grad=True) for name, a in p.items()}
    y_expected = expected(kind, size, p, torch.tensor(x, dtype=torch.float64), ops, vectors)
    (y_expected * torch.tensor(R)).sum().backward()
    model.cleargrads()
    F.sum(run(kind, model, x) * R).backward()
    grads = {name[1:]: param.grad for name, param in model.namedparams()}
    assert sum('W' in name for name in grads) == (5 if kind == 'generator' else 8)
    largest = max(float(p[name].grad.abs().max()) for name in grads)
    for name, grad in grads.items():
        g = p[name].grad.numpy()
        scale = max(np.abs(g).max(), 1e-2 * largest)  # a bias before batch normalization has no gradient
        assert np.abs(grad - g).max() < tolerance * scale, name


@pytest.mark.parametrize('size', SIZES)
def test_names_and_shapes(size):
    shapes = {name: array.shape for name, array in arrays_of(build('generator', size, ch=4)).items()}
    links = {'l1': {'W': (32 * (size // 8) ** 2, 128), 'b': (32 * (size // 8) ** 2,)},
             'c5': {'W': (3, 4, 3, 3), 'b': (3,)}}
    for i, before, after in ((2, 32, 16), (3, 16, 8), (4, 8, 4)):
        links[f'dc{i}'] = {'W': (before, after, 4, 4), 'b': (after,)}
        links[f'b{i}'] = {**dict.fromkeys(('gamma', 'beta', 'avg_mean', 'avg_var'), (after,)), 'N': ()}
    assert shapes == {f'{link}/{key}': shape for link, keys in links.items() for key, shape in keys.items()}

    shapes = {name: array.shape for name, array in arrays_of(build('discriminator', size, ch=4)).items()}
    pixels = (size // 8) ** 2
    links = {'l8': {'W': (1, 32 * pixels), 'b': (1,), 'u': (1, 1)}}
    before = 3
    for i, units in enumerate(WIDTHS, 1):
        k = 4 - i % 2
        links[f'c{i}'] = {'W': (4 * units, before, k, k), 'b': (4 * units,), 'u': (1, 4 * units)}
        before = 4 * units
    assert shapes == {f'{link}/{key}': shape for link, keys in links.items() for key, shape in keys.items()}


@pytest.mark.parametrize('kind', ['generator', 'discriminator'])
def test_initial_values(kind):
    """LeCunNormal: variance 1 / fan-in, in Chainer's sense of a deconvolution's too."""
    np.random.seed(0)
    for name, array in arrays_of(build(kind, 32)).items():
        if name.endswith('/W'):
            np.testing.assert_allclose(array.std(), np.prod(array.shape[1:]) ** -.5, rtol=.1, err_msg=name)
        elif name.endswith('/b'):
            assert np.all(array == 0), name


@pytest.mark.parametrize('size', SIZES)
def test_what_training_reads(size):
    gen, dis = build('generator', size), build('discriminator', size)
    assert (gen.image_size, gen.dim_z, gen.n_classes, gen.distribution) == (size, 128, 0, 'normal')
    assert (dis.image_size, dis.size_divisor, dis.n_classes) == (size, size, 0)
    with chainer.no_backprop_mode():
        np.random.seed(0)
        drawn = gen(2).array
        np.random.seed(0)
        np.testing.assert_array_equal(gen(z=np.random.normal(size=(2, 128)).astype('f')).array, drawn)
        assert dis(drawn).shape == (2, 1)
    assert drawn.shape == (2, 3, size, size)
    assert drawn.dtype == np.float32
    assert .05 < np.abs(drawn).max() <= 1


def test_every_weight_is_normalized():
    dis, x, _ = example('discriminator', 32)
    links = [link for link in dis.links() if hasattr(link, 'W')]
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        before = dis(x).array
        for i, link in enumerate(links):
            link.W.array *= 2 ** (i % 3 + 1)
        np.testing.assert_allclose(dis(x).array, before, rtol=1e-9)


def test_the_slope_is_the_papers():
    dis, x, _ = example('discriminator', 32)
    other, _, _ = example('discriminator', 32, activation=LeakyReLU(.2))
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        assert dis.activation.slope == .1
        assert np.abs(dis(x).array - other(x).array).max() > 1e-4


@pytest.mark.parametrize('finetune', [True, False])
def test_batch_statistics(finetune):
    gen, z, _ = example('generator', 32)
    before = gen.b2.avg_mean.copy()
    gen(z=z, finetune=finetune)
    mean = NumPy.deconvolve(gen.l1(z).array.reshape(3, -1, 4, 4), gen.dc2.W.array, gen.dc2.b.array).mean((0, 2, 3))
    weight = 1 if finetune else .1
    np.testing.assert_allclose(gen.b2.avg_mean, (1 - weight) * before + weight * mean, rtol=1e-6)


def test_bad_arguments():
    for kind in ('generator', 'discriminator'):
        with pytest.raises(ValueError, match='n_classes must be 0, got 3'):
            build(kind, 32, n_classes=3)
    y = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match='n_classes is 0'):
        build('generator', 32)(z=np.zeros((1, 128), 'f'), y=y)
    with pytest.raises(ValueError, match='n_classes is 0'):
        build('discriminator', 32)(np.zeros((1, 3, 32, 32), 'f'), y)
    with pytest.raises(ValueError, match=r'\(B, 3, 32, 32\), got \(1, 3, 48, 48\)'):
        build('discriminator', 32)(np.zeros((1, 3, 48, 48), 'f'))
