from tests.models.cases import N_CLASSES, Case, arrays_of, build
from tests.models.definitions import GENERATORS

import chainer
import numpy as np
import pytest
from chainer import serializers

SIZES = {'resnet_32': 32, 'resnet_48': 48, 'resnet_64': 64, 'resnet': 128, 'resnet_small': 128, 'resnet_256': 256}


@pytest.mark.parametrize('name', GENERATORS)
def test_images(name):
    gen = build(name, 'ResNetGenerator', 0)
    with chainer.no_backprop_mode():
        x = gen(2)
    assert x.shape == (2, 3, SIZES[name], SIZES[name])
    assert x.dtype == np.float32
    assert gen.image_size == SIZES[name]
    assert .05 < np.abs(x.array).max() <= 1


def test_draws_what_is_not_given():
    gen = Case('resnet_32', 'ResNetGenerator', N_CLASSES).model
    with chainer.no_backprop_mode(), chainer.using_config('train', False):
        np.random.seed(0)
        drawn = gen(4).array
        np.random.seed(0)
        z = np.random.normal(size=(4, gen.dim_z)).astype('f')
        y = np.random.randint(N_CLASSES, size=4).astype(np.int32)
        np.testing.assert_array_equal(gen(z=z, y=y).array, drawn)
        assert np.abs(gen(z=z, y=(y + 1) % N_CLASSES).array - drawn).max() > 1e-2
        np.random.seed(0)
        np.random.normal(size=z.shape)
        np.testing.assert_array_equal(gen(99, z=z).array, drawn)  # as many labels as latents


def test_uniform_latents():
    gen = build('resnet_32', 'ResNetGenerator', 0, distribution='uniform')
    with chainer.no_backprop_mode():
        np.random.seed(0)
        drawn = gen(4).array
        np.random.seed(0)
        z = np.random.uniform(-1, 1, (4, 128)).astype('f')
        np.testing.assert_array_equal(gen(z=z).array, drawn)


def test_bad_inputs():
    z, y = np.zeros((2, 128), 'f'), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match='n_classes is 0'):
        build('resnet_32', 'ResNetGenerator', 0)(z=z, y=y)
    with pytest.raises(ValueError, match='2 latents and 1 labels'):
        build('resnet_32', 'ResNetGenerator', N_CLASSES)(z=z, y=y[:1])


@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
def test_finetune(n_classes):
    """All moving averages, the tail's too, become the plain mean over the batches."""
    gen = build('resnet_32', 'ResNetGenerator', n_classes)
    z = np.random.RandomState(0).normal(size=(2, 8, 128)).astype('f')
    y = [np.arange(8, dtype=np.int32) % n_classes if n_classes else None] * 2
    names = [name for name in arrays_of(gen) if 'avg_' in name]
    alone = []
    with chainer.no_backprop_mode():
        gen(z=z[0], y=y[0])
        for i in range(2):
            fresh = gen.copy('copy')
            fresh(z=z[i], y=y[i], finetune=True)
            alone.append(arrays_of(fresh))
        for i in range(2):
            gen(z=z[i], y=y[i], finetune=True)
    together = arrays_of(gen)
    assert len(names) == 14
    for name in names:
        np.testing.assert_allclose(together[name], (alone[0][name] + alone[1][name]) / 2, rtol=1e-4, atol=1e-6,
                                   err_msg=name)


@pytest.mark.parametrize('name', ['resnet_32', 'resnet'])
@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('extension', ['npz', 'h5'])
def test_files(name, n_classes, extension, tmp_path):
    case = Case(name, 'ResNetGenerator', n_classes)
    other = build(name, 'ResNetGenerator', n_classes, dim_z=5)
    save, load = {
        'npz': (serializers.save_npz, serializers.load_npz),
        'h5': (serializers.save_hdf5, serializers.load_hdf5),
    }[extension]
    save(tmp_path / f'gen.{extension}', case.model)
    load(tmp_path / f'gen.{extension}', other)
    expected, actual = arrays_of(case.model), arrays_of(other)
    for path in expected:
        np.testing.assert_array_equal(actual[path], expected[path], path)
    with chainer.using_config('train', False):
        np.testing.assert_array_equal(other(z=case.x, y=case.y).array, case.model(z=case.x, y=case.y).array)
