"""What training reads of networks, what generators draw and fine-tune, and what both kinds refuse."""
from dis_models.base import scaled_widths
from tests.models import cases
from tests.models.cases import CONCAT, N_CLASSES, NETWORKS, Case, arrays_of, build, class_of

import chainer
import numpy as np
import pytest

X, Y, Z = np.zeros((1, 3, 32, 32), 'f'), np.zeros(1, np.int32), np.zeros((2, 5), 'f')


def size_of(name):
    return int(name.split('_')[-1]) if name[-1].isdigit() else 128


@pytest.mark.parametrize('name, class_name', [network for network in NETWORKS if 'Generator' in network[1]])
def test_images_and_what_training_reads(name, class_name):
    gen, size = class_of(name, class_name)(ch=4), size_of(name)
    distribution = 'uniform' if 'gan_lib' in name else 'normal'
    assert (gen.image_size, gen.dim_z, gen.n_classes, gen.distribution) == (size, 128, 0, distribution)
    with chainer.no_backprop_mode():
        np.random.seed(0)
        x = gen(2).array
        np.random.seed(0)
        z = np.random.uniform(-1, 1, (2, 128)) if distribution == 'uniform' else np.random.normal(size=(2, 128))
        np.testing.assert_array_equal(gen(z=z.astype('f')).array, x)
    assert x.shape == (2, 3, size, size) and x.dtype == np.float32
    assert .05 < np.abs(x).max() <= 1


def test_draws_what_is_not_given():
    gen = Case(*cases.GENERATOR_32, dtype=np.float32, distribution='uniform').model
    with chainer.no_backprop_mode(), chainer.using_config('train', False):
        np.random.seed(0)
        drawn = gen(4).array
        np.random.seed(0)
        z = np.random.uniform(-1, 1, (4, gen.dim_z)).astype('f')
        y = np.random.randint(N_CLASSES, size=4).astype(np.int32)
        np.testing.assert_array_equal(gen(z=z, y=y).array, drawn)
        assert np.abs(gen(z=z, y=(y + 1) % N_CLASSES).array - drawn).max() > 1e-2
        np.random.seed(0)
        np.random.uniform(size=z.shape)
        np.testing.assert_array_equal(gen(99, z=z).array, drawn)  # as many labels as latents


@pytest.mark.parametrize('network, n_classes, count', [
    (cases.GENERATOR_32, 0, 14), (cases.GENERATOR_32, N_CLASSES, 14), (cases.CNN_GENERATOR_32, 0, 6),
    (('cnn_gan_lib_32', 'CNNGenerator'), 0, 8)])
def test_finetune(network, n_classes, count):
    """All moving averages, the tail's too, become the plain mean over the batches."""
    gen = build(*network, n_classes)
    z = np.random.RandomState(0).normal(size=(2, 8, 5)).astype('f')
    y = np.arange(8, dtype=np.int32) % n_classes if n_classes else None
    alone = []
    with chainer.no_backprop_mode():
        gen(z=z[0], y=y)
        for i in range(2):
            fresh = gen.copy('copy')
            fresh(z=z[i], y=y, finetune=True)
            alone.append(arrays_of(fresh))
        for i in range(2):
            gen(z=z[i], y=y, finetune=True)
    together = arrays_of(gen)
    names = [path for path in together if 'avg_' in path]
    assert len(names) == count
    for path in names:
        np.testing.assert_allclose(together[path], (alone[0][path] + alone[1][path]) / 2, rtol=1e-4, atol=1e-6,
                                   err_msg=path)


@pytest.mark.parametrize('name, class_name', [network for network in NETWORKS if 'Discriminator' in network[1]])
def test_what_training_reads(name, class_name):
    dis, size = build(name, class_name), size_of(name)
    divisor = size if 'CNN' in class_name else {32: 4, 48: 16, 64: 32, 128: 32, 256: 64}[size]
    assert (dis.image_size, dis.size_divisor) == (size, divisor)


@pytest.mark.parametrize('network, n_classes, arguments, message', [
    (cases.PROJECTION_32, 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (('snresnet_32', CONCAT), 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (('snresnet_32', CONCAT), N_CLASSES, {'x': X}, 'needs them'),
    (('snresnet_32', 'SNResNetACDiscriminator'), 0, {}, 'n_classes must be at least 1, got 0'),
    (cases.CNN_32, 1, {}, 'n_classes must be 0, got 1'),
    (cases.CNN_32, 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (cases.CNN_32, 0, {'x': np.zeros((1, 3, 48, 48), 'f')}, r'\(B, 3, 32, 32\), got \(1, 3, 48, 48\)'),
    (cases.CNN_GENERATOR_32, 3, {}, 'n_classes must be 0, got 3'),
    (cases.CNN_GENERATOR_32, 0, {'z': Z, 'y': Y}, 'n_classes is 0'),
    (cases.GENERATOR_32, 0, {'z': Z[:1], 'y': Y}, 'n_classes is 0'),
    (cases.GENERATOR_32, N_CLASSES, {'z': Z, 'y': Y}, '2 latents and 1 labels'),
])
def test_refuses(network, n_classes, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(*network, n_classes)(**arguments)


def test_a_classifier_of_one_class():
    assert build('snresnet_32', 'SNResNetACDiscriminator', 1).classify(X)[1].shape == (1, 1)


def test_scaled_widths():
    assert scaled_widths(128, [1, 1, 1, 1], 1.5) == [192] * 4
    assert scaled_widths(64, [1, 1, 2, 2, 4, 4, 8], 1., 8.) == [64, 64, 128, 128, 256, 2048, 4096]
    assert scaled_widths(64, [1, 1, 2, 2, 4, 4, 8], 1.5, .5) == [96, 96, 192, 192, 384, 192, 384]
    assert scaled_widths(4, [1, 1], .25) == [1, 1]
    with pytest.raises(ValueError, match=r'scale 0.1 and final_scale 1.0 leave no map of ch 4: widths are \[0, 0'):
        scaled_widths(4, [1, 1], .1)
