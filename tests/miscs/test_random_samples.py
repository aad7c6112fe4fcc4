from source.miscs.noise_sampler import NoiseSampler
from source.miscs.random_samples import sample_categorical, sample_continuous
from source.miscs.random_state import serialize_random_state

import numpy as np
import pytest
from chainer import serializers
from scipy.stats import kstest, truncnorm, uniform


@pytest.mark.parametrize('distribution, std, low, high', [('normal', 1, -np.inf, -3), ('uniform', 3 ** -.5, -1, -.99)])
def test_continuous(distribution, std, low, high):
    np.random.seed(0)
    z = sample_continuous(10, 2000, distribution)
    assert z.shape == (2000, 10)
    assert z.dtype == np.float32
    assert abs(z.mean()) < .03
    assert abs(z.std() / std - 1) < .03
    for extreme in (z.min(), -z.max()):
        assert low <= extreme < high
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < .1


def test_categorical():
    np.random.seed(0)
    y = sample_categorical(4, 2000)
    assert y.shape == (2000,)
    assert y.dtype == np.int32
    assert np.all(np.abs(np.bincount(y, minlength=4) / 500 - 1) < .2)
    assert set(y) == {0, 1, 2, 3}


def test_normal_is_the_default():
    for function, args in ((sample_continuous, (3, 2)), (sample_categorical, (5, 2))):
        np.random.seed(0)
        first = function(*args, distribution='normal' if function is sample_continuous else 'uniform', xp=np)
        np.random.seed(0)
        np.testing.assert_array_equal(function(*args), first)


def test_random_state():
    """A given one is used in place of the global one."""
    np.random.seed(0)
    z, y = sample_continuous(3, 2), sample_categorical(5, 20)
    np.random.seed(1)
    rng = np.random.RandomState(0)
    np.testing.assert_array_equal(sample_continuous(3, 2, rng=rng), z)
    np.testing.assert_array_equal(sample_categorical(5, 20, rng=rng), y)
    assert np.random.get_state()[2] == np.random.RandomState(1).get_state()[2]


@pytest.mark.parametrize('function, distribution', [(sample_continuous, 'gaussian'), (sample_categorical, 'normal')])
def test_unknown_distribution(function, distribution):
    with pytest.raises(ValueError, match=distribution):
        function(3, 2, distribution=distribution)


@pytest.mark.parametrize('distribution', ['normal', 'uniform'])
def test_noise_sampler(distribution):
    sampler = NoiseSampler(7, 5, distribution, seed=0)
    rng = np.random.RandomState(0)
    for n in (3, 4):
        y, z = sampler.categorical(n), sampler.continuous(n)
        assert y.dtype == np.int32
        assert z.dtype == np.float32
        np.testing.assert_array_equal(y, rng.randint(5, size=n))
        np.testing.assert_array_equal(
            z, (rng.normal(size=(n, 7)) if distribution == 'normal' else rng.uniform(-1, 1, (n, 7))).astype('f'))


@pytest.mark.parametrize('extension', ['npz', 'h5'])
def test_noise_sampler_resumes(extension, tmp_path):
    """After an odd number of normal draws, of which NumPy makes two at a time and keeps one."""
    uninterrupted, saved, loaded = (NoiseSampler(3, 5, seed=seed) for seed in (0, 0, 1))
    for sampler in (uninterrupted, saved):
        sampler.continuous(3)
        assert sampler.rng.get_state()[3] == 1
    save, load = {
        'npz': (serializers.save_npz, serializers.load_npz),
        'h5': (serializers.save_hdf5, serializers.load_hdf5),
    }[extension]
    save(tmp_path / f'sampler.{extension}', saved)
    load(tmp_path / f'sampler.{extension}', loaded)
    for _ in range(300):  # past one refill of the generator's 624 words
        z, y = uninterrupted.continuous(1), uninterrupted.categorical(1)
        for sampler in (saved, loaded):
            np.testing.assert_array_equal(sampler.continuous(1), z)
            np.testing.assert_array_equal(sampler.categorical(1), y)


def test_global_state_resumes(tmp_path):
    class State:
        def serialize(self, serializer):
            serialize_random_state(serializer, np.random)
    expected = np.random.RandomState(0).normal(size=8)[3:]
    np.random.seed(0)
    np.random.normal(size=3)
    serializers.save_npz(tmp_path / 'state.npz', State())
    np.random.seed(1)
    serializers.load_npz(tmp_path / 'state.npz', State())
    np.testing.assert_array_equal(np.random.normal(size=5), expected)


@pytest.mark.parametrize('distribution, truncation, expected', [
    ('normal', .3, truncnorm(-.3, .3)), ('normal', 2., truncnorm(-2, 2)), ('uniform', .3, uniform(-.3, .6)),
    ('uniform', 2., uniform(-1, 2))])
def test_truncation(distribution, truncation, expected):
    """The distribution within the bounds, by Kolmogorov and Smirnov's test."""
    z = sample_continuous(10, 2000, distribution, rng=np.random.RandomState(0), truncation=truncation)
    assert z.dtype == np.float32 and z.shape == (2000, 10)
    assert np.abs(z).max() <= np.float32(truncation)
    assert kstest(z.ravel(), expected.cdf).pvalue > .01
    sampler = NoiseSampler(10, distribution=distribution, seed=0, truncation=truncation)
    np.testing.assert_array_equal(sampler.continuous(2000), z)


@pytest.mark.parametrize('truncation', [0, -1, float('nan')])
def test_truncation_above_0(truncation):
    with pytest.raises(ValueError, match='truncation must be above 0'):
        sample_continuous(2, 2, truncation=truncation)
