from source.datasets.digits import DigitsDataset
from source.feature_networks.digits import DigitsNet
from source.feature_networks.digits_training import distort, train_digits_net

import numpy as np
import pytest


@pytest.fixture(scope='module')
def train():
    return DigitsDataset('train')


def trained(train, seed, epochs=1, n=128):
    losses = []
    np.random.seed(seed)
    net = DigitsNet()
    train_digits_net(net, train.ims[:n], train.labels[:n], epochs, np.random.default_rng(seed),
                     lambda epoch, loss: losses.append((epoch, loss)))
    return net, losses


def test_the_seed_decides_the_weights(train):
    first, again, other = (trained(train, seed)[0] for seed in (0, 0, 1))
    for (name, param), (_, same), (_, different) in zip(
            first.namedparams(), again.namedparams(), other.namedparams(), strict=True):
        np.testing.assert_array_equal(param.array, same.array, err_msg=name)
        assert not np.array_equal(param.array, different.array), name


def test_learns(train):
    _, losses = trained(train, 0, epochs=6)
    assert [epoch for epoch, _ in losses] == list(range(1, 7))
    assert losses[-1][1] < .6 * losses[0][1]


def test_distortions_are_mild(train):
    x = DigitsNet.scale(train.ims[:200])
    distorted = distort(x, np.random.default_rng(0))
    assert distorted.dtype == np.float32 and distorted.shape == x.shape
    assert -1. <= distorted.min() and distorted.max() <= 1.
    np.testing.assert_array_equal(distorted[:, 0], distorted[:, 2])
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(x, distorted, strict=True)]
    assert .6 < np.mean(alike) < .95
    np.testing.assert_array_equal(distorted, distort(x, np.random.default_rng(0)))


def test_distortions_are_centred():
    # A symmetric blob stays, on average, where it was: neither shift, turn nor shear prefers a side.
    grid = np.arange(16) - 7.5
    blob = np.exp(-(grid[:, None] ** 2 + grid ** 2) / 18.) * 2. - 1.
    x = np.broadcast_to(blob.astype(np.float32), (2000, 3, 16, 16))
    mass = distort(x, np.random.default_rng(0))[:, 0].astype(np.float64).mean(axis=0) + 1.
    assert abs((mass * grid).sum() / mass.sum()) < .1 and abs((mass.T * grid).sum() / mass.sum()) < .1
