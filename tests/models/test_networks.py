"""Outputs of every network, its snapshot's arrays, gradients, the penalty, against plain NumPy or differences."""
from pathlib import Path

import dis_models
import gen_models
from source.functions.penalties import gradient_penalty
from source.links.norms import NORMS, WITH_GAMMA
from tests.models import cases, definitions
from tests.models.cases import CONCAT, NETWORKS, PROJECTION, Case

import chainer
import numpy as np
import pytest
from chainer import gradient_check

UNCONDITIONAL = [network for network in NETWORKS if network[1] in ('ResNetGenerator', PROJECTION, CONCAT)]
FURTHER = [('snresnet_32', CONCAT), ('snresnet_32', 'SNResNetACDiscriminator'), ('snresnet_48', PROJECTION),
           ('gulrajani_32', 'ResNetDiscriminator'), ('sncnn_gan_lib_32', 'SNCNNDiscriminator')]


def test_every_network_is_here():
    """A network of a new file has to come into the list of `cases`."""
    files = {path.stem for package in (gen_models, dis_models) for path in Path(package.__file__).parent.glob('*.py')}
    assert files - {name for name, _ in NETWORKS} == {'__init__', 'base', 'resblocks', 'cnn_base', 'sncnn_base'}


def check(case, rtol, train=True):
    p = case.arrays()
    expected = case.expected(p, train=train)
    assert expected.std(0).max() > 1e-4  # more than biases
    with chainer.using_config('train', train), chainer.no_backprop_mode():
        y = case.output(case.x).array
    assert y.dtype == case.x.dtype
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=rtol / 10 * np.abs(expected).max())
    return {name for name in set(p) - p.read if not name.endswith('/N')}


@pytest.mark.parametrize('network, n_classes, train', [
    *((network, None, True) for network in NETWORKS), *((network, 0, False) for network in UNCONDITIONAL),
    *((network, None, False) for network in NETWORKS if network not in UNCONDITIONAL)])
def test_output(network, n_classes, train):
    """Names and shapes are those of the tables: the authors' snapshots load by them."""
    not_read = check(Case(*network, n_classes), 1e-9, train)
    assert not_read == ({'l_ac/W', 'l_ac/b', 'l_ac/u'} if 'AC' in network[1] else set())


@pytest.mark.parametrize('network', NETWORKS)
def test_output_of_one_channel(network):
    check(Case(*network, channels=1), 1e-9)


@pytest.mark.parametrize('network, kwargs', [
    *((cases.PROJECTION_32, {'norm': norm, 'ch': 16}) for norm in NORMS),
    *((cases.CNN_32, {'norm': norm, 'ch': 2}) for norm in NORMS),
    *((network, {'norm': norm}) for network in FURTHER for norm in ('spectral', 'weight', 'batch', 'singular_values')),
    *((cases.PROJECTION_32, {'norm': norm, 'use_gamma': True}) for norm in WITH_GAMMA),
    *((network, {'ch': 16}) for network in cases.SMALL), *((network, {'channels': 1}) for network in cases.SMALL),
    *((network, {'softplus': True}) for network in cases.SMALL),
    (cases.PROJECTION_32, {'final_scale': 2.}), (cases.CNN_32, {'scale': 1.5, 'final_scale': 2.}),
    (('snresnet_48', PROJECTION), {'final_scale': .5}), (('snresnet_64', PROJECTION), {'scale': 1.5}),
    (('snresnet_32', CONCAT), {'scale': 1.5, 'final_scale': 2.})])
def test_output_in_single_precision(network, kwargs):
    """Wide enough, in some, for the CPU's kernels to take more than one tile."""
    check(Case(*network, dtype=np.float32, **kwargs), 1e-3)


@pytest.mark.parametrize('network', [*NETWORKS[:2], *NETWORKS[6:10], *NETWORKS[-9:]])
def test_gradient_along_a_direction(network):
    """d/dt of sum(R · f(p + t·direction)), with u and v held as they are at t = 0."""
    case = Case(*network, softplus=not network[0].endswith('32'))  # a ReLU of so many may turn on the way
    p = case.arrays()
    vectors = {path[:-2]: definitions.singular_vectors(p[f'{path[:-2]}/W'].reshape(u.size, -1), u)
               for path, u in p.items() if path.endswith('/u') and path != 'l_ac/u'}
    _, grads = case.run()
    rng = np.random.RandomState(1)
    # Each parameter's share of the sum is of the same size.
    directions = {name: rng.normal(size=grad.shape) / max(np.linalg.norm(grad), 1e-3) for name, grad in grads.items()}

    def along(t):
        moved = {name: array + t * directions[name] if name in directions else array for name, array in p.items()}
        return (case.R * case.expected(moved, case.x + t * directions['x'], vectors=vectors)).sum()
    t = 1e-7
    np.testing.assert_allclose(sum((grads[name] * directions[name]).sum() for name in grads),
                               (along(t) - along(-t)) / (2 * t), rtol=1e-5)
    for name, (u, _) in vectors.items():
        np.testing.assert_allclose(case.arrays()[f'{name}/u'], u, atol=1e-6, err_msg='one step of power iteration')


def test_blended_labels():
    case = Case(*cases.GENERATOR_32)
    y, weights = np.array([[0, 1], [1, 2], [2, 2]], np.int32), np.array([[1, 0], [.3, .7], [.5, .5]])
    case.condition = np.array([[1, 0, 0], [0, .3, .7], [0, 0, 1]])
    with chainer.using_config('train', False):
        x = case.model(z=case.x, y=y, weights=weights)
    np.testing.assert_allclose(x.array, case.expected(case.arrays(), train=False), rtol=1e-9, atol=1e-12)


def test_projection_without_labels_is_the_first_term_alone():
    case = Case('snresnet', PROJECTION)
    case.y = case.condition = None
    check(case, 1e-9)


@pytest.mark.parametrize('network, norm', [
    *((cases.PROJECTION_32, norm) for norm in NORMS), *((cases.CNN_32, norm) for norm in ('layer', 'spectral')),
    *((FURTHER[0], norm) for norm in ('spectral', 'none')), (('gulrajani_32', 'ResNetDiscriminator'), 'weight')])
def test_gradient_penalty(network, norm):
    """Its value against differences of D along its own gradient, its gradients against differences of its value."""
    dis = cases.build(*network, ch=3, norm=norm)
    cases.cast(dis, np.float64)
    x = np.random.RandomState(1).uniform(-1, 1, (2, 3, 32, 32))
    y = np.array([1, 2], np.int32) if dis.n_classes else None
    with chainer.using_config('train', norm == 'batch'):  # no step of u between two values
        variable = chainer.Variable(x)
        gradient, = chainer.grad([dis(variable, y)], [variable])
        eps, total = 1e-6, 0
        for i in range(2):
            step = np.zeros_like(x)
            step[i] = eps * gradient.array[i] / np.linalg.norm(gradient.array[i])
            # With batch normalization the outputs depend on all samples: it is their sum that is differentiated.
            total += ((dis(x + step, y).array - dis(x - step, y).array).sum() / (2 * eps) - 1) ** 2
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
        single = dis.copy('copy')  # on the CPU's kernels
        cases.cast(single, np.float32)
        single.cleargrads()
        gradient_penalty(single, x.astype('f'), y).backward()
        found = [param.grad for _, param in sorted(single.namedparams()) if param.grad is not None]
        whole = np.concatenate([param.grad.ravel() for param in params])
        difference = np.concatenate([grad.ravel() for grad in found]) - whole
        assert np.linalg.norm(difference) < 1e-3 * np.linalg.norm(whole)
        np.random.seed(0)  # of the direction
        gradient_check.check_backward(lambda: gradient_penalty(dis, x, y), (), None, params, dtype='d', eps=1e-6,
                                      rtol=1e-3, atol=1e-5)
