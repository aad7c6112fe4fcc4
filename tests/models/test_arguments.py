"""Defaults and initial values, what training reads, what generators draw and fine-tune, what is refused; own blocks."""
import inspect

from dis_models import resblocks as dis_blocks
from dis_models.base import scaled_widths
from gen_models import resblocks as gen_blocks
from tests.models import cases
from tests.models.cases import CONCAT, N_CLASSES, NETWORKS, Case, arrays_of, build, class_of
from tests.models.definitions import GENERATORS

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest

X, Y, Z = np.zeros((1, 3, 32, 32), 'f'), np.zeros(1, np.int32), np.zeros((2, 5), 'f')


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_without_arguments_it_is_the_papers(name, class_name):
    expected = {'ch': {'resnet_32': 256, 'snresnet_32': 128, 'gulrajani_32': 128}.get(name, 64), 'n_classes': 0,
                'channels': 3}
    if name in GENERATORS:
        distribution = 'uniform' if 'gan_lib' in name else 'normal'
        expected.update(dim_z=128, bottom_width=GENERATORS[name].bottom_width, distribution=distribution)
    else:
        dim_emb = {'dim_emb': 128} if class_name == CONCAT else {}
        expected.update(norm='spectral', use_gamma=False, scale=1., final_scale=1., **dim_emb)
    arguments = inspect.signature(class_of(name, class_name)).parameters
    assert {key: arguments[key].default for key in expected} == expected and list(arguments)[-1] == 'channels'


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_initial_values(name, class_name):
    """GlorotUniform, by sqrt(2) wider for 3x3 within blocks; of the CNNs variance 1 / fan-in, as Chainer reckons it."""
    kwargs = {'dim_z': 128} if name in GENERATORS else {'dim_emb': 128} if class_name == CONCAT else {}
    ch = {'resnet_32': 32, 'snresnet_32': 64, 'gulrajani_32': 64}.get(name, 16)
    for path, array in arrays_of(build(name, class_name, ch=ch, **kwargs)).items():
        assert array.dtype == (int if path.endswith('/N') else np.float32), path
        if path.endswith(('gammas/W', '/gamma')):
            assert np.all(array == 1), path
        elif path.endswith(('betas/W', '/beta', '/b', '/avg_mean', '/N')):
            assert np.all(array == 0), path
        elif path.endswith('/avg_var'):
            assert np.all(array == (0 if 'block' in path else 1)), path
        elif path.endswith('/u'):
            assert array.shape[1] < 16 or .5 < array.std() < 1.5, path
        elif 'cnn' in name:
            std = .02 if 'gan_lib' in name else np.prod(array.shape[1:]) ** -.5
            np.testing.assert_allclose(array.std(), std, rtol=.1 if array.size > 1000 else .2, err_msg=path)
        else:
            wider = 2 ** .5 if path.endswith(('c1/W', 'c2/W')) else 1
            bound = wider * (6 / (sum(array.shape[:2]) * np.prod(array.shape[2:]))) ** .5
            assert .8 * bound < np.abs(array).max() <= bound * (1 + 1e-6), path


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_what_training_reads(name, class_name):
    model, size = build(name, class_name), int(name.split('_')[-1]) if name[-1].isdigit() else 128
    assert model.image_size == size
    if name in GENERATORS:
        distribution = 'uniform' if 'gan_lib' in name else 'normal'
        n_classes = 0 if 'cnn' in name else N_CLASSES
        assert (model.dim_z, model.n_classes, model.distribution) == (5, n_classes, distribution)
    else:
        assert model.size_divisor == (size if 'cnn' in name else {32: 4, 48: 16, 64: 32, 128: 32, 256: 64}[size])


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
        cnn, z = build(*cases.CNN_GENERATOR_32), np.random.RandomState(0).normal(size=(4, 5)).astype('f')
        np.random.seed(0)
        np.testing.assert_array_equal(cnn(4).array, cnn(z=z).array)


@pytest.mark.parametrize('network, n_classes, count', [
    (cases.GENERATOR_32, 0, 14), (cases.GENERATOR_32, N_CLASSES, 14), (cases.CNN_GENERATOR_32, 0, 6),
    (('cnn_gan_lib_32', 'CNNGenerator'), 0, 8)])
def test_finetune(network, n_classes, count):
    """All moving averages, the tail's too, become the plain mean over the batches."""
    gen, alone = build(*network, n_classes), []
    z = np.random.RandomState(0).normal(size=(2, 8, 5)).astype('f')
    y = np.arange(8, dtype=np.int32) % n_classes if n_classes else None
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
        np.testing.assert_allclose(together[path], (alone[0][path] + alone[1][path]) / 2, 1e-4, 1e-6, err_msg=path)


@pytest.mark.parametrize('network, n_classes, arguments, message', [
    (cases.PROJECTION_32, 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (('snresnet_32', CONCAT), 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (('snresnet_32', CONCAT), N_CLASSES, {'x': X}, 'needs them'),
    (('snresnet_32', 'SNResNetACDiscriminator'), 0, {}, 'n_classes must be at least 1, got 0'),
    (cases.CNN_32, 1, {}, 'n_classes must be 0, got 1'),
    (cases.CNN_32, 0, {'x': X, 'y': Y}, 'n_classes is 0'),
    (cases.CNN_32, 0, {'x': np.zeros((1, 3, 48, 48), 'f')}, r'\(B, 3, 32, 32\), got \(1, 3, 48, 48\)'),
    (cases.CNN_32, 0, {'x': X[:, :1]}, r'\(B, 3, 32, 32\), got \(1, 1, 32, 32\)'),
    (cases.CNN_GENERATOR_32, 3, {}, 'n_classes must be 0, got 3'),
    (cases.CNN_GENERATOR_32, 0, {'z': Z, 'y': Y}, 'n_classes is 0'),
    (cases.GENERATOR_32, 0, {'z': Z, 'y': Y}, 'n_classes is 0'),
    (cases.GENERATOR_32, N_CLASSES, {'z': Z, 'y': Y}, '2 latents and 1 labels')])
def test_refuses(network, n_classes, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(*network, n_classes)(**arguments)


def test_one_class_or_map_is_enough():
    assert build('snresnet_32', 'SNResNetACDiscriminator', 1).classify(X)[1].shape == (1, 1)
    assert scaled_widths(4, [1, 1], .25) == [1, 1]
    with pytest.raises(ValueError, match=r'scale 0.1 and final_scale 1.0 leave no map of ch 4: widths are \[0, 0'):
        scaled_widths(4, [1, 1], .1)


class ReadsItsInput(dis_blocks.Block):  # without the activation before its first convolution
    def residual(self, x):
        return self.c2(F.leaky_relu(self.c1(x)))


class PlainNorm(L.BatchNormalization):  # knows nothing of a bias
    def forward(self, x, activation=None):
        return activation(super().forward(x))


class OtherNorm(gen_blocks.Block):
    def _batch_normalization(self, size):
        return PlainNorm(size)


class OtherConvolution(gen_blocks.Block):
    def _convolve(self, conv, x):
        return conv.after_upsampling(x)


@pytest.mark.parametrize('own_class', [ReadsItsInput, OtherNorm, OtherConvolution, gen_blocks.Block, dis_blocks.Block])
def test_own_blocks_compute_the_same_on_every_road(own_class):
    upsample = {'upsample': True} if issubclass(own_class, gen_blocks.Block) else {}
    x, results = np.random.RandomState(0).normal(size=(2, 4, 6, 6)).astype('f'), []
    for kernel_set in ('reference', 'chainer', 'device'):
        np.random.seed(0)
        with chainer.using_config('kernel_set', kernel_set):
            block = own_class(4, 4, **upsample)
            for link in block.links():
                if hasattr(link, 'b'):
                    link.b.array[...] = np.random.RandomState(1).normal(size=link.b.shape)
            results.append([block(x).array, *(link.avg_mean for link in block.links() if hasattr(link, 'avg_mean'))])
    for arrays in zip(*results, strict=True):
        for other in arrays[1:]:
            np.testing.assert_allclose(other, arrays[0], rtol=1e-4, atol=1e-4)
