"""Latents and labels, ways between them, and images of them."""
from gen_models.cnn_32 import CNNGenerator
from gen_models.resnet_32 import ResNetGenerator
from source.miscs import interpolation
from source.miscs.generate import generate_ims, generator_inputs, to_uint8
from source.miscs.interpolation import lerp, slerp
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.random_samples import sample_categorical, sample_continuous
from source.miscs.standing_statistics import restate_statistics
from tests.miscs.painter import Painter

import chainer
import numpy as np
import pytest
from chainer import serializers
from scipy.stats import kstest, norm, truncnorm, uniform


@pytest.mark.parametrize('distribution, truncation, expected', [
    ('normal', None, norm()), ('normal', .3, truncnorm(-.3, .3)), ('normal', 2., truncnorm(-2, 2)),
    ('uniform', None, uniform(-1, 2)), ('uniform', .3, uniform(-.3, .6)), ('uniform', 2., uniform(-1, 2))])
def test_latents(distribution, truncation, expected):
    """The distribution, within the bounds, by Kolmogorov and Smirnov's test; independent from one axis to the next."""
    z = NoiseSampler(10, distribution=distribution, seed=0, truncation=truncation).continuous(2000)
    assert z.dtype == np.float32 and z.shape == (2000, 10)
    assert np.abs(z).max() <= np.float32(truncation or np.inf)
    assert kstest(z.ravel(), expected.cdf).pvalue > .01
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < .1


@pytest.mark.parametrize('function, arguments, expected', [
    (sample_continuous, {'distribution': 'gaussian'}, 'gaussian'),
    (sample_continuous, {'distribution': 'gaussian', 'truncation': 1.}, 'gaussian'),
    (sample_categorical, {'distribution': 'normal'}, 'normal'),
    *((sample_continuous, {'truncation': value}, 'truncation must be above 0') for value in (0, -1, float('nan')))])
def test_other_distributions_and_bounds_are_refused(function, arguments, expected):
    with pytest.raises(ValueError, match=expected):
        function(3, 2, **arguments)


@pytest.mark.parametrize('distribution', ['normal', 'uniform'])
def test_noise_sampler(distribution):
    """As the functions draw by default: from NumPy's global state, which is one of seed 0 here."""
    sampler, rng = NoiseSampler(7, 5, distribution, seed=0), np.random.RandomState(0)
    for n in (3, 4):
        y, z = sampler.categorical(n), sampler.continuous(n)
        np.testing.assert_array_equal(y, rng.randint(5, size=n).astype('i4'), strict=True)
        expected = rng.normal(size=(n, 7)) if distribution == 'normal' else rng.uniform(-1, 1, (n, 7))
        np.testing.assert_array_equal(z, expected.astype('f4'), strict=True)
        np.testing.assert_array_equal(sample_categorical(5, n), y)
        np.testing.assert_array_equal(sample_continuous(7, n, *[distribution] * (distribution != 'normal')), z)


@pytest.mark.parametrize('save, load', [
    (serializers.save_npz, serializers.load_npz), (serializers.save_hdf5, serializers.load_hdf5)])
def test_noise_sampler_resumes(save, load, tmp_path):
    """After an odd number of normal draws, of which NumPy makes two at a time and keeps one."""
    uninterrupted, saved, loaded = (NoiseSampler(3, 5, seed=seed) for seed in (0, 0, 1))
    for sampler in (uninterrupted, saved):
        sampler.continuous(3)
        assert sampler.rng.get_state()[3] == 1
    save(tmp_path / 'sampler.npz', saved)
    load(tmp_path / 'sampler.npz', loaded)
    for _ in range(300):  # past one refill of the generator's 624 words
        z, y = uninterrupted.continuous(1), uninterrupted.categorical(1)
        for sampler in (saved, loaded):
            np.testing.assert_array_equal(sampler.continuous(1), z)
            np.testing.assert_array_equal(sampler.categorical(1), y)


def test_slerp_in_the_plane():
    z = slerp([[1., 0.], [0., 2.]], [[0., 3.], [-2., 0.]], [0., 1 / 3, .5, 1.])
    lengths = np.array([[1., 5 / 3, 2., 3.], [2.] * 4]).T
    angles = np.deg2rad([[0, 90], [30, 120], [45, 135], [90, 180]])
    np.testing.assert_allclose(z, lengths[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1), atol=1e-12)


def test_slerp_of_near_and_of_opposite_latents():
    """A straight line; and none."""
    z0 = np.array([3., 4.])
    for distance in (0., 1e-9, 1e-5):
        z1 = z0 + distance * np.array([-4., 3.])
        np.testing.assert_allclose(slerp(z0, z1, .3), .7 * z0 + .3 * z1, atol=1e-9)
    with pytest.raises(ValueError, match='opposite'):
        slerp(np.array([1., 0.]), np.array([-2., 0.]), .5)


def test_uniform_latents_stay_in_their_cube():
    z0, z1 = np.array([1., 1.]), np.array([-1., 1.])
    assert interpolation.way_between('uniform')(z0, z1, [0., .25, 1.]).tolist() == [[1, 1], [.5, 1], [-1, 1]]
    assert (interpolation.way_between('normal'), interpolation.way_between('uniform')) == (slerp, lerp)


def test_grids_in_reading_order_and_round_trips():
    np.testing.assert_allclose(interpolation.corner_weights(3, 2), [
        [1, 0, 0, 0], [0, 1, 0, 0], [.5, 0, .5, 0], [0, .5, 0, .5], [0, 0, 1, 0], [0, 0, 0, 1]])
    corners = np.random.RandomState(0).normal(size=(4, 6))
    z = interpolation.corner_latents(corners, 3, 5).reshape(3, 5, 6)
    np.testing.assert_allclose(z[[0, 0, -1, -1], [0, -1, 0, -1]], corners, atol=1e-12)
    np.testing.assert_allclose(z[1, 0], slerp(corners[0], corners[2], .5))
    np.testing.assert_allclose(z[0, 2], slerp(corners[0], corners[1], .5))
    assert interpolation.round_trip('ab', 2) == [('a', 'b', 0), ('a', 'b', .5), ('b', 'a', 0), ('b', 'a', .5)]


def test_uint8_of_the_papers_range():
    x = np.array([-2., -1., -1. + 1.01 / 127.5, 0., .5, 1., 3.])
    np.testing.assert_array_equal(to_uint8(x), np.array([0, 0, 1, 127, 191, 255, 255], np.uint8), strict=True)


@pytest.mark.parametrize('n, sizes, given', [
    (7, [3, 3, 1], None), (6, [3, 3], None), (7, [3, 3, 1], np.array([5, 0, 9, 2, 2, 7, 1]))])
def test_n_need_not_be_a_multiple_of_the_batch(n, sizes, given):
    gen = Painter()
    ims, y = generate_ims(gen, n, NoiseSampler(2, 10, seed=1), given, batchsize=3)
    assert gen.batches == [(size, False, False) for size in sizes]
    assert (ims.shape, ims.dtype, y.dtype) == ((n, 3, 2, 2), np.uint8, np.int32)
    sampler, labels, z = NoiseSampler(2, 10, seed=1), [], []
    for size in sizes:
        labels.extend(sampler.categorical(size) if given is None else given[len(labels):len(labels) + size])
        z.extend(sampler.continuous(size)[:, 0])
    np.testing.assert_array_equal(y, labels)
    np.testing.assert_array_equal(ims[:, 0, 0, 0], labels)
    np.testing.assert_array_equal(ims[:, 1, 0, 0], to_uint8(np.array(z)))
    ims, y = generate_ims(Painter(n_classes=0), n, NoiseSampler(2, seed=1), batchsize=2)
    assert y is None and len(ims) == n


@pytest.mark.parametrize('make', [
    lambda: ResNetGenerator(ch=4, dim_z=5, bottom_width=2, n_classes=3), lambda: CNNGenerator(ch=2, dim_z=5)],
    ids=['conditional', 'unconditional'])
def test_standing_statistics_are_means_over_batches(make):
    """Of every batch normalization, against means over its inputs computed here; weights stay. Too few are refused."""
    gen = make()
    seen = {link: [] for link in gen.links() if hasattr(link, 'avg_mean')}
    for link in seen:
        link.avg_mean[...], link.avg_var[...], link.N = 7., 7., 5
    before = {name: p.array.copy() for name, p in gen.namedparams()}

    class Hook(chainer.LinkHook):
        def forward_preprocess(self, args):
            if args.link in seen:
                seen[args.link].append(chainer.as_variable(args.args[0]).array)
    sampler, other = (NoiseSampler(gen.dim_z, gen.n_classes, seed=3) for _ in range(2))
    with Hook():
        restate_statistics(gen, sampler, 3, 6)
    for link, inputs in seen.items():
        assert len(inputs) == 3
        np.testing.assert_allclose(link.avg_mean, np.mean([x.mean((0, 2, 3)) for x in inputs], axis=0), atol=1e-5)
        np.testing.assert_allclose(link.avg_var, np.mean([x.var((0, 2, 3), ddof=1) for x in inputs], axis=0),
                                   rtol=1e-4, atol=1e-6)
    np.testing.assert_equal({name: p.array for name, p in gen.namedparams()}, before)
    for _ in range(3):
        generator_inputs(gen, other, 6)
    np.testing.assert_array_equal(sampler.continuous(2), other.continuous(2))
    for arguments in ((0, 5), (3, 1)):
        with pytest.raises(ValueError, match='at least 1 batch of at least 2'):
            restate_statistics(None, None, *arguments)
