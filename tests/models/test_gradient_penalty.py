"""The gradient penalty through every discriminator: with and without kernels, differences, PyTorch's autograd."""
import importlib
from pathlib import Path

from dis_models import gulrajani_32, sncnn_32, sncnn_48, sncnn_gan_lib_32, snresnet_32
from source.functions.penalties import gradient_penalty
from source.links.norms import NORMS
from tests.models import definitions
from tests.models.cases import N_CLASSES, NETWORKS, Case, arrays_of

import chainer
import numpy as np
import pytest
from chainer import gradient_check

PROJECTION = 'SNResNetProjectionDiscriminator'
SMALL = {
    'projection': lambda **kwargs: snresnet_32.SNResNetProjectionDiscriminator(n_classes=N_CLASSES, **kwargs),
    'concat': lambda **kwargs: snresnet_32.SNResNetConcatDiscriminator(n_classes=N_CLASSES, dim_emb=4, **kwargs),
    'ac': lambda **kwargs: snresnet_32.SNResNetACDiscriminator(n_classes=N_CLASSES, **kwargs),
    'mean pooling': lambda **kwargs: gulrajani_32.ResNetDiscriminator(**kwargs),
    'cnn 32': lambda **kwargs: sncnn_32.SNCNNDiscriminator(**kwargs),
    'cnn 48': lambda **kwargs: sncnn_48.SNCNNDiscriminator(**kwargs),
    'chainer-gan-lib': lambda **kwargs: sncnn_gan_lib_32.SNCNNDiscriminator(**kwargs),
}
LARGE = [(name, class_name) for name, class_name in NETWORKS if 'Discriminator' in class_name and name != 'snresnet_32']


def make_large(name, class_name, **kwargs):
    cls = getattr(importlib.import_module(f'dis_models.{name}'), class_name)
    return cls(n_classes=N_CLASSES, **({'dim_emb': 4} if 'Concat' in class_name else {}), **kwargs)


def inputs(dis, dtype, n=3):
    rng = np.random.RandomState(1)
    x = rng.uniform(-1, 1, (n, 3, dis.image_size, dis.image_size)).astype(dtype)
    return x, rng.randint(N_CLASSES, size=n).astype(np.int32) if dis.n_classes else None


def to_float64(dis):
    for param in dis.params():
        param.array = param.array.astype(np.float64)
    for link in dis.links():
        for name in getattr(link, '_persistent', ()):
            value = getattr(link, name)
            if isinstance(value, np.ndarray):
                setattr(link, name, value.astype(np.float64))


def penalty_and_gradients(make, dtype, cpu_kernels, seed, **kwargs):
    np.random.seed(seed)
    dis = make(**kwargs)
    if dtype == np.float64:
        to_float64(dis)
    x, y = inputs(dis, dtype)
    dis.cleargrads()
    with chainer.using_config('cpu_kernels', cpu_kernels):
        penalty = gradient_penalty(dis, x, y)
        penalty.backward()
    return float(penalty.array), {name: param.grad for name, param in dis.namedparams()}


def difference(make, seed, **kwargs):
    """The larger of two relative differences: of the penalty, and of all its gradients as one vector."""
    expected, grads_expected = penalty_and_gradients(make, np.float64, False, seed, **kwargs)
    penalty, grads = penalty_and_gradients(make, np.float32, True, seed, **kwargs)
    assert {k for k, g in grads.items() if g is None} == {k for k, g in grads_expected.items() if g is None}
    names = [name for name, grad in grads_expected.items() if grad is not None]
    assert len(names) >= 8
    return max(abs(penalty / expected - 1), np.sqrt(
        sum(((grads[name] - grads_expected[name]) ** 2).sum() for name in names)
        / sum((grads_expected[name] ** 2).sum() for name in names)))


def check_kernels(make, **kwargs):
    """In single precision a ReLU may fall on the other side of zero, beyond any tolerance, but not in every draw."""
    assert any(difference(make, seed, **kwargs) < 5e-5 for seed in range(3))


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('network', SMALL)
def test_kernels(network, norm):
    check_kernels(SMALL[network], ch=16, norm=norm)


@pytest.mark.parametrize('norm', ['spectral', 'weight', 'frobenius'])
@pytest.mark.parametrize('network', ['projection', 'cnn 32'])
def test_kernels_with_gamma(network, norm):
    """The reparametrizations of Table 7."""
    check_kernels(SMALL[network], ch=16, norm=norm, use_gamma=True)


@pytest.mark.parametrize('norm', ['spectral', 'none'])
@pytest.mark.parametrize('name, class_name', LARGE)
def test_kernels_of_large_networks(name, class_name, norm):
    check_kernels(lambda **kwargs: make_large(name, class_name, **kwargs), ch=4, norm=norm)


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('network', ['projection', 'concat', 'mean pooling', 'cnn 32'])
def test_against_differences(network, norm):
    """Its value against differences of D along its own gradient, its gradients against differences of its value."""
    np.random.seed(0)
    with chainer.using_config('dtype', np.dtype(np.float64)):
        dis = SMALL[network](ch=3, norm=norm)
    to_float64(dis)
    x, y = inputs(dis, np.float64, n=2)
    with chainer.using_config('train', norm == 'batch'):  # no step of u between two values
        variable = chainer.Variable(x)
        gradient, = chainer.grad([dis(variable, y)], [variable])
        eps, total = 1e-6, 0
        norms = np.sqrt((gradient.array ** 2).sum(axis=(1, 2, 3)))
        for i in range(2):
            step = np.zeros_like(x)
            step[i] = eps * gradient.array[i] / norms[i]
            difference = dis(x + step, y).array - dis(x - step, y).array
            # With batch normalization the outputs depend on all samples: it is their sum that is differentiated.
            total += (difference.sum() / (2 * eps) - 1) ** 2
        np.testing.assert_allclose(gradient_penalty(dis, x, y).array, total / 2, rtol=1e-4)
        if norm == 'spectral':  # differences move u and v too, which the gradient holds still unless they converged
            for _ in range(2000):
                with chainer.using_config('train', True), chainer.no_backprop_mode():
                    dis(x, y)
        dis.cleargrads()
        gradient_penalty(dis, x, y).backward()
        params = [param for _, param in sorted(dis.namedparams()) if param.grad is not None]
        assert len(params) >= 8
        gradient_check.check_backward(lambda: gradient_penalty(dis, x, y), (), None, params, dtype='d', eps=1e-6,
                                      rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('class_name', [PROJECTION, 'SNResNetConcatDiscriminator'])
@pytest.mark.parametrize('activation', ['relu', 'softplus'])
def test_against_torch(class_name, n_classes, activation):
    """Weights copied, spectral normalization written out, double backward by autograd."""
    torch = pytest.importorskip('torch')
    from tests.models import torch_operations
    name = 'snresnet_64' if class_name == PROJECTION else 'snresnet'
    case = Case(name, class_name, n_classes, np.float64, activation)
    p = arrays_of(case.model)
    vectors = {k: [torch.tensor(v) for v in pair] for k, pair in definitions.singular_vectors(p).items()}
    p = {k: torch.tensor(a, dtype=torch.float64, requires_grad=True) for k, a in p.items()}
    x = torch.tensor(case.x, requires_grad=True)
    condition = None if case.condition is None else torch.tensor(case.condition)
    output, _ = definitions.discriminator(torch_operations, case.table, p, vectors, x, condition, case.concat,
                                          activation)
    gradient, = torch.autograd.grad(output.sum(), x, create_graph=True)
    expected = ((gradient.pow(2).sum(dim=(1, 2, 3)).sqrt() - 1) ** 2).mean()
    expected.backward()

    case.model.cleargrads()
    penalty = gradient_penalty(case.model, case.x, case.y)
    penalty.backward()
    np.testing.assert_allclose(penalty.array, expected.item(), rtol=1e-9)
    compared = 0
    for path, param in case.model.namedparams():
        grad = p[path[1:]].grad
        if grad is None or param.grad is None:
            assert all(g is None or not np.any(np.asarray(g)) for g in (grad, param.grad)), path
            continue
        scale = max(float(grad.abs().max()), 1e-9)
        assert np.abs(param.grad - grad.numpy()).max() < 1e-8 * scale, path
        compared += 1
    assert compared >= 15


def test_every_discriminator_is_here():
    """A network of a new file has to come into the lists above."""
    here = {'snresnet_32', 'gulrajani_32', 'sncnn_32', 'sncnn_48', 'sncnn_gan_lib_32', *(name for name, _ in LARGE)}
    folder = importlib.import_module('dis_models').__path__[0]
    assert {path.stem for path in Path(folder).glob('*.py')} - {'__init__', 'base', 'resblocks', 'sncnn_base'} == here
