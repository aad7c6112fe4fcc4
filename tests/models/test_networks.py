"""Outputs of every network, with the arrays its snapshot has, and gradients, against plain NumPy in float64."""
import importlib
from pathlib import Path

from source.links.norms import NORMS, WITH_GAMMA
from tests.models import cases, definitions
from tests.models.cases import CONCAT, NETWORKS, PROJECTION, Case, arrays_of, build

import chainer
import numpy as np
import pytest
from chainer import serializers

UNCONDITIONAL = [network for network in NETWORKS if network[1] in ('ResNetGenerator', PROJECTION, CONCAT)]
FURTHER = [('snresnet_32', CONCAT), ('snresnet_32', 'SNResNetACDiscriminator'), ('snresnet_48', PROJECTION),
           ('gulrajani_32', 'ResNetDiscriminator'), ('sncnn_gan_lib_32', 'SNCNNDiscriminator')]


def test_every_network_is_here():
    """A network of a new file has to come into the list of `cases`."""
    folders = [Path(importlib.import_module(package).__path__[0]) for package in ('gen_models', 'dis_models')]
    files = {path.stem for folder in folders for path in folder.glob('*.py')}
    assert files - {name for name, _ in NETWORKS} == {'__init__', 'base', 'resblocks', 'cnn_base', 'sncnn_base'}


def check(case, rtol, train=True):
    p = case.arrays()
    expected = case.expected(p, train=train)
    assert expected.std(0).max() > 1e-4  # more than biases
    with chainer.using_config('train', train), chainer.no_backprop_mode():
        y = case.output().array
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


@pytest.mark.parametrize('network, kwargs', [
    *((cases.PROJECTION_32, {'norm': norm, 'ch': 16}) for norm in NORMS),
    *((cases.CNN_32, {'norm': norm, 'ch': 2}) for norm in NORMS),
    *((network, {'norm': norm}) for network in FURTHER for norm in ('spectral', 'weight', 'batch', 'singular_values')),
    *((cases.PROJECTION_32, {'norm': norm, 'use_gamma': True}) for norm in WITH_GAMMA),
    *((network, {'ch': 16}) for network in cases.SMALL), *((network, {'softplus': True}) for network in cases.SMALL),
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


@pytest.mark.parametrize('name', ['resnet_32', 'resnet'])
def test_blended_labels(name):
    case = Case(name, 'ResNetGenerator')
    y = np.array([[0, 1], [1, 2], [2, 2]], np.int32)
    weights = np.array([[1, 0], [.3, .7], [.5, .5]])
    condition = np.array([[1, 0, 0], [0, .3, .7], [0, 0, 1]])
    with chainer.using_config('train', False):
        x = case.model(z=case.x, y=y, weights=weights)
    expected = case.expected(case.arrays(), condition=condition, train=False)
    np.testing.assert_allclose(x.array, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('name', ['snresnet_32', 'snresnet'])
def test_projection_without_labels_is_the_first_term_alone(name):
    case = Case(name, PROJECTION)
    case.y = case.condition = None
    check(case, 1e-9)


@pytest.mark.parametrize('name, class_name', [network for network in NETWORKS if 'Discriminator' in network[1]])
def test_without_a_norm_named_it_is_spectral(name, class_name):
    """The same draws, names and arrays as if the arguments were not there."""
    plain, told = (arrays_of(build(name, class_name, **kwargs)) for kwargs in (
        {}, {'norm': 'spectral', 'use_gamma': False, 'scale': 1., 'final_scale': 1.}))
    assert list(plain) == list(told)
    for path in plain:
        np.testing.assert_array_equal(plain[path], told[path])


@pytest.mark.parametrize('extension, name, class_name', [
    ('npz', 'resnet_32', 'ResNetGenerator'), ('h5', 'resnet', 'ResNetGenerator'), ('npz', 'snresnet', CONCAT),
    ('h5', 'snresnet_32', PROJECTION)])
def test_files(extension, name, class_name, tmp_path):
    """u included: in test mode the outputs depend on it."""
    case, other = Case(name, class_name, dtype=np.float32), build(name, class_name, seed=1)
    save, load = {'npz': (serializers.save_npz, serializers.load_npz),
                  'h5': (serializers.save_hdf5, serializers.load_hdf5)}[extension]
    save(tmp_path / f'model.{extension}', case.model)
    load(tmp_path / f'model.{extension}', other)
    expected, actual = arrays_of(case.model), arrays_of(other)
    for path in expected:
        np.testing.assert_array_equal(actual[path], expected[path], path)
    with chainer.using_config('train', False):
        y, case.model = case.output().array, other
        np.testing.assert_array_equal(case.output().array, y)
