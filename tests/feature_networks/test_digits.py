"""The judge of digits, as it is and in training."""
from source.datasets.digits import DigitsDataset
from source.datasets.mnist import MNISTDataset
from source.feature_networks import load_feature_network
from source.feature_networks.digits import DigitsNet
from source.feature_networks.digits_training import distort, train_digits_net
from source.metrics.recognized_share import recognized_share

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


def test_reads_the_held_out_digits():
    """Of either size, blurred and noisy too; no digits, or other ones, are not read as these."""
    network, held_out = load_feature_network('digits'), DigitsDataset('test')
    feats, probs = network(held_out.ims)
    feats32, probs32 = network(DigitsDataset('test', size=32).ims)
    for each in (probs, probs32):
        assert recognized_share(each, held_out.labels) >= .98
    assert np.abs(feats32 - feats).max() < .01 * np.abs(feats).max()
    assert np.abs(probs32 - probs).max() < .05
    ims, labels = held_out.ims[:100].astype(np.float64), held_out.labels[:100]
    noise = np.random.default_rng(0).normal(0., 25., ims.shape)
    for altered in (gaussian_filter(ims, (0, 0, .8, .8)), ims + noise, .8 * ims, np.roll(ims, 1, axis=3)):
        assert recognized_share(network(altered.clip(0., 255.).astype(np.uint8))[1], labels) >= .96
    legible = np.isin(held_out.labels, [2, 4, 5, 7])
    upside_down = held_out.ims[legible, :, ::-1]
    assert recognized_share(network(upside_down)[1], held_out.labels[legible]) < .5


def test_reads_mnists_held_out_images():
    """Of 28 px as of 32, which add a margin to them; blurred too; but not upside down."""
    network, held_out = load_feature_network('mnist'), MNISTDataset('test', channels=1)
    feats, probs = network(held_out.ims)
    assert recognized_share(probs, held_out.labels) >= .985
    feats28, _ = network(MNISTDataset('test', size=28).ims)
    np.testing.assert_allclose(feats28, feats, atol=1e-3)
    ims, labels = held_out.ims.astype(np.float64), held_out.labels
    for altered in (gaussian_filter(ims, (0, 0, .8, .8)), .8 * ims, np.roll(ims, 2, axis=3)):
        assert recognized_share(network(altered.clip(0., 255.).astype(np.uint8))[1], labels) >= .97
    legible = np.isin(labels, [2, 4, 5, 7])
    assert recognized_share(network(held_out.ims[legible, :, ::-1])[1], labels[legible]) < .5


@pytest.mark.parametrize('height, width', [(16, 16), (32, 32), (48, 16), (28, 28), (8, 20)])
def test_reduction_averages_over_areas(height, width):
    # Oracle: every pixel drawn as 16x16 equal ones, so that each of the 16x16 areas holds a whole number of them.
    x = np.random.default_rng(0).uniform(-1., 1., (2, 3, height, width)).astype(np.float32)
    fine = np.repeat(np.repeat(x.mean(axis=1), 16, axis=1), 16, axis=2)
    areas = fine.reshape(2, 16, height, 16, width).mean(axis=(2, 4))
    expected = np.broadcast_to(areas[:, None], (2, 3, 16, 16)).astype(np.float32)
    net = DigitsNet()
    np.testing.assert_allclose(net.features(x).array, net.features(expected).array, atol=1e-5)


def trained(seed, epochs=1):
    train, losses = DigitsDataset('train'), []
    np.random.seed(seed)
    net = DigitsNet()
    train_digits_net(net, train.ims[:128], train.labels[:128], epochs, np.random.default_rng(seed),
                     lambda epoch, loss: losses.append((epoch, loss)))
    return [param.array for _, param in sorted(net.namedparams())], losses


def test_learns_as_the_seed_decides():
    _, losses = trained(0, epochs=6)
    assert [epoch for epoch, _ in losses] == list(range(1, 7))
    assert losses[-1][1] < .6 * losses[0][1]
    for first, again, other in zip(*(trained(seed)[0] for seed in (0, 0, 1)), strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_distortions_are_mild():
    x = DigitsNet.scale(DigitsDataset('train').ims[:200])
    distorted = distort(x, np.random.default_rng(0))
    assert distorted.dtype == np.float32 and distorted.shape == x.shape and np.abs(distorted).max() <= 1.
    np.testing.assert_array_equal(distorted[:, 0], distorted[:, 2])
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(x, distorted, strict=True)]
    assert .6 < np.mean(alike) < .95


def test_distortions_are_centred():
    # A symmetric blob stays, on average, where it was: neither shift, turn nor shear prefers a side.
    grid = np.arange(16) - 7.5
    blob = np.exp(-(grid[:, None] ** 2 + grid ** 2) / 18.) * 2. - 1.
    x = np.broadcast_to(blob.astype(np.float32), (2000, 3, 16, 16))
    mass = distort(x, np.random.default_rng(0))[:, 0].astype(np.float64).mean(axis=0) + 1.
    assert abs((mass * grid).sum() / mass.sum()) < .1 and abs((mass.T * grid).sum() / mass.sum()) < .1
