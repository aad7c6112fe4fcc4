"""The gradient penalty through every discriminator: with and without kernels, and against differences."""
from source.functions.penalties import gradient_penalty
from source.links.norms import NORMS, WITH_GAMMA
from tests.models.cases import CNN_32, CONCAT, N_CLASSES, NETWORKS, PROJECTION_32, build, cast

import chainer
import numpy as np
import pytest
from chainer import gradient_check

CONCAT_32 = ('snresnet_32', CONCAT)
DISCRIMINATORS = [network for network in NETWORKS if 'Discriminator' in network[1]]


def inputs(dis, dtype, n=3):
    rng = np.random.RandomState(1)
    x = rng.uniform(-1, 1, (n, 3, dis.image_size, dis.image_size)).astype(dtype)
    return x, rng.randint(N_CLASSES, size=n).astype(np.int32) if dis.n_classes else None


def penalty_and_gradients(network, dtype, cpu_kernels, **kwargs):
    dis = build(*network, **kwargs)
    cast(dis, dtype)
    x, y = inputs(dis, dtype)
    dis.cleargrads()
    with chainer.using_config('cpu_kernels', cpu_kernels):
        penalty = gradient_penalty(dis, x, y)
        penalty.backward()
    return float(penalty.array), {name: param.grad for name, param in dis.namedparams() if param.grad is not None}


def difference(network, **kwargs):
    """The larger of two relative differences: of the penalty, and of all its gradients as one vector."""
    expected, grads_expected = penalty_and_gradients(network, np.float64, False, **kwargs)
    penalty, grads = penalty_and_gradients(network, np.float32, True, **kwargs)
    assert set(grads) == set(grads_expected) and len(grads) >= 8
    return max(abs(penalty / expected - 1), np.sqrt(
        sum(((grads[name] - grad) ** 2).sum() for name, grad in grads_expected.items())
        / sum((grad ** 2).sum() for grad in grads_expected.values())))


@pytest.mark.parametrize('network, kwargs', [
    *((network, {'norm': norm, 'ch': 16}) for network in (PROJECTION_32, CNN_32) for norm in NORMS),
    *((PROJECTION_32, {'norm': norm, 'ch': 16, 'use_gamma': True}) for norm in WITH_GAMMA),
    *((network, {'ch': 16 if network[0].endswith('_32') else 4}) for network in DISCRIMINATORS)])
def test_kernels(network, kwargs):
    """In single precision a ReLU may fall on the other side of zero, beyond any tolerance, but not in every draw."""
    assert any(difference(network, seed=seed, **kwargs) < 5e-5 for seed in range(3))


@pytest.mark.parametrize('network, norm', [
    *((PROJECTION_32, norm) for norm in NORMS), (CONCAT_32, 'spectral'), (CONCAT_32, 'none'), (CNN_32, 'layer'),
    (CNN_32, 'spectral'), (('gulrajani_32', 'ResNetDiscriminator'), 'weight')])
def test_against_differences(network, norm):
    """Its value against differences of D along its own gradient, its gradients against differences of its value."""
    dis = build(*network, ch=3, norm=norm)
    cast(dis, np.float64)
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
        penalty = gradient_penalty(dis, x, y)
        assert penalty.shape == ()
        np.testing.assert_allclose(penalty.array, total / 2, rtol=1e-4)
        for link in dis.links():  # differences move u and v too, which the gradient holds still unless they converged
            if hasattr(link, 'u'):
                link.u = np.linalg.svd(link.W.array.reshape(len(link.W), -1))[0][:, :1].T.copy()
        dis.cleargrads()
        gradient_penalty(dis, x, y).backward()
        params = [param for _, param in sorted(dis.namedparams()) if param.grad is not None]
        assert len(params) >= 8
        np.random.seed(0)  # of the direction
        gradient_check.check_backward(lambda: gradient_penalty(dis, x, y), (), None, params, dtype='d', eps=1e-6,
                                      rtol=1e-3, atol=1e-5)
