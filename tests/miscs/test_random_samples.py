from source.miscs.noise_sampler import NoiseSampler
from source.miscs.random_samples import sample_categorical, sample_continuous

import numpy as np
import pytest
from chainer import serializers
from scipy.stats import kstest, norm, truncnorm, uniform


@pytest.mark.parametrize('distribution, truncation, expected', [
    ('normal', None, norm()), ('normal', .3, truncnorm(-.3, .3)), ('normal', 2., truncnorm(-2, 2)),
    ('uniform', None, uniform(-1, 2)), ('uniform', .3, uniform(-.3, .6)), ('uniform', 2., uniform(-1, 2))])
def test_continuous(distribution, truncation, expected):
    """The distribution, within the bounds, by Kolmogorov and Smirnov's test; independent from one axis to the next."""
    z = sample_continuous(10, 2000, distribution, rng=np.random.RandomState(0), truncation=truncation)
    assert z.dtype == np.float32 and z.shape == (2000, 10)
    assert np.abs(z).max() <= np.float32(truncation or np.inf)
    assert kstest(z.ravel(), expected.cdf).pvalue > .01
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < .1
    sampler = NoiseSampler(10, distribution=distribution, seed=0, truncation=truncation)
    np.testing.assert_array_equal(sampler.continuous(2000), z)


def test_categorical():
    y = sample_categorical(4, 2000, rng=np.random.RandomState(0))
    assert y.shape == (2000,) and y.dtype == np.int32
    assert np.all(np.abs(np.bincount(y) / 500 - 1) < .2) and set(y) == {0, 1, 2, 3}


def test_defaults_and_the_global_random_state():
    """A given state is used in its place."""
    for function, distribution in ((sample_continuous, 'normal'), (sample_categorical, 'uniform')):
        np.random.seed(0)
        drawn = function(5, 2, distribution=distribution, xp=np)
        np.random.seed(0)
        np.testing.assert_array_equal(function(5, 2), drawn)
        np.random.seed(1)
        np.testing.assert_array_equal(function(5, 2, rng=np.random.RandomState(0)), drawn)
        assert np.random.get_state()[2] == np.random.RandomState(1).get_state()[2]


@pytest.mark.parametrize('function, arguments, expected', [
    (sample_continuous, {'distribution': 'gaussian'}, 'gaussian'),
    (sample_continuous, {'distribution': 'gaussian', 'truncation': 1.}, 'gaussian'),
    (sample_categorical, {'distribution': 'normal'}, 'normal'),
    *((sample_continuous, {'truncation': value}, 'truncation must be above 0') for value in (0, -1, float('nan')))])
def test_refused(function, arguments, expected):
    with pytest.raises(ValueError, match=expected):
        function(3, 2, **arguments)


@pytest.mark.parametrize('distribution', ['normal', 'uniform'])
def test_noise_sampler(distribution):
    sampler, rng = NoiseSampler(7, 5, distribution, seed=0), np.random.RandomState(0)
    for n in (3, 4):
        y, z = sampler.categorical(n), sampler.continuous(n)
        np.testing.assert_array_equal(y, rng.randint(5, size=n).astype('i4'), strict=True)
        expected = rng.normal(size=(n, 7)) if distribution == 'normal' else rng.uniform(-1, 1, (n, 7))
        np.testing.assert_array_equal(z, expected.astype('f4'), strict=True)


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
