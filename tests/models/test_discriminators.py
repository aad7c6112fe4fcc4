from tests.models import definitions, numpy_operations
from tests.models.cases import N_CLASSES, NETWORKS, Case, arrays_of, build

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import serializers

PROJECTION = [network for network in NETWORKS if 'Projection' in network[1]]
ALL = [network for network in NETWORKS if 'Discriminator' in network[1]]


@pytest.mark.parametrize('name, class_name', PROJECTION)
def test_projection(name, class_name):
    """Dense of phi plus <embed(y), phi>, both weights normalized; without labels the first alone."""
    case = Case(name, class_name, N_CLASSES)
    p = arrays_of(case.model)
    vectors = definitions.singular_vectors(p)
    _, phi = definitions.discriminator(numpy_operations, case.table, p, vectors, case.x.astype(np.float64))
    with chainer.using_config('train', False):
        given, ignored = case.model(case.x, case.y).array, case.model(case.x).array
    assert given.shape == ignored.shape == (2, 1)
    W_y = p['l_y/W'] / (vectors['l_y'][0] @ p['l_y/W'] @ vectors['l_y'][1].T)
    term = (W_y[case.y] * phi).sum(1, keepdims=True)
    assert np.abs(term).min() > 1e-3
    np.testing.assert_allclose(given - ignored, term, rtol=1e-3, atol=1e-4 * np.abs(given).max())


@pytest.mark.parametrize('name, class_name', PROJECTION)
def test_pools_by_sum(name, class_name):
    """Features that are 2 and -1 at every pixel come to twice the number of pixels, and to nothing."""
    dis, table = build(name, class_name, 0), definitions.DISCRIMINATORS[name]
    last = dis[f'block{len(table.blocks.split())}']
    last.c2.b.array[:2] = 2, -1
    x = np.zeros((1, 3, table.image_size, table.image_size), 'f')
    phi = dis.features(x).array
    pixels = (table.image_size // 2 ** table.blocks.count('d')) ** 2
    assert pixels > 1
    np.testing.assert_allclose(phi, [[2 * pixels] + [0] * (dis.out_channels - 1)])


@pytest.mark.parametrize('name, class_name', ALL)
def test_every_weight_is_normalized(name, class_name):
    """Scaling any weight changes no output, and all links but none more have a u."""
    case = Case(name, class_name, N_CLASSES)
    links = [(path, link) for path, link in case.model.namedlinks() if hasattr(link, 'W')]
    assert all(hasattr(link, 'u') for _, link in links)
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        before = case.model(case.x, case.y).array
        for i, (_, link) in enumerate(links):
            link.W.array *= 2 ** (i % 3 + 1)
        np.testing.assert_allclose(case.model(case.x, case.y).array, before, rtol=1e-4)
        links[0][1].b.array += 1
        assert np.abs(case.model(case.x, case.y).array - before).max() > 1e-4


@pytest.mark.parametrize('name, class_name', ALL)
def test_steps_each_u_once_a_forward_pass(name, class_name):
    case = Case(name, class_name, N_CLASSES)
    expected = definitions.singular_vectors(arrays_of(case.model))
    with chainer.no_backprop_mode():
        case.model(case.x, case.y)
    for path, (u, _) in expected.items():
        np.testing.assert_allclose(arrays_of(case.model)[f'{path}/u'], u, atol=1e-4, err_msg=path)


def test_activation_reaches_every_block():
    """The first one included; it is not applied to the image itself."""
    calls = []

    def activation(x):
        calls.append(x.shape)
        return F.relu(x)
    dis = build('snresnet_32', 'SNResNetProjectionDiscriminator', 0, activation=activation)
    dis(np.zeros((1, 3, 32, 32), 'f'))
    assert len(calls) == 1 + 3 * 2 + 1
    assert not any(shape[1] == 3 for shape in calls)


def test_bad_inputs():
    x, y = np.zeros((1, 3, 32, 32), 'f'), np.zeros(1, np.int32)
    with pytest.raises(ValueError, match='n_classes is 0'):
        build('snresnet_32', 'SNResNetProjectionDiscriminator', 0)(x, y)
    with pytest.raises(ValueError, match='n_classes is 0'):
        build('snresnet', 'SNResNetConcatDiscriminator', 0)(x, y)
    with pytest.raises(ValueError, match='needs them'):
        build('snresnet', 'SNResNetConcatDiscriminator', N_CLASSES)(x)


@pytest.mark.parametrize('name, class_name', [ALL[0], ALL[3], ALL[-1]])
@pytest.mark.parametrize('extension', ['npz', 'h5'])
def test_files(name, class_name, extension, tmp_path):
    """u included: in test mode the outputs depend on it."""
    case = Case(name, class_name, N_CLASSES)
    other = build(name, class_name, N_CLASSES, **({'dim_emb': 4} if case.concat else {}))
    save, load = {
        'npz': (serializers.save_npz, serializers.load_npz),
        'h5': (serializers.save_hdf5, serializers.load_hdf5),
    }[extension]
    save(tmp_path / f'dis.{extension}', case.model)
    load(tmp_path / f'dis.{extension}', other)
    expected, actual = arrays_of(case.model), arrays_of(other)
    for path in expected:
        np.testing.assert_array_equal(actual[path], expected[path], path)
    with chainer.using_config('train', False):
        np.testing.assert_array_equal(other(case.x, case.y).array, case.model(case.x, case.y).array)
