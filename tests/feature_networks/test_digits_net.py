from source.datasets.digits import DigitsDataset
from source.feature_networks import load_feature_network
from source.feature_networks.digits import DigitsNet
from source.metrics.recognized_share import recognized_share

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


@pytest.fixture(scope='module')
def network():
    return load_feature_network('digits')


@pytest.fixture(scope='module')
def held_out():
    return DigitsDataset('test')


def test_reads_the_held_out_digits_of_either_size(network, held_out):
    feats, probs = network(held_out.ims)
    feats32, probs32 = network(DigitsDataset('test', size=32).ims)
    for each in (probs, probs32):
        assert recognized_share(each, held_out.labels) >= .98
    assert np.abs(feats32 - feats).max() < .01 * np.abs(feats).max()
    assert np.abs(probs32 - probs).max() < .05


def test_blur_and_noise_do_not_hide_a_digit(network, held_out):
    ims, labels = held_out.ims[:100].astype(np.float64), held_out.labels[:100]
    noise = np.random.default_rng(0).normal(0., 25., ims.shape)
    blurred = gaussian_filter(ims, (0, 0, .8, .8))
    for altered in (blurred, ims + noise, .8 * ims, np.roll(ims, 1, axis=3)):
        assert recognized_share(network(altered.clip(0., 255.).astype(np.uint8))[1], labels) >= .96


def test_is_not_fooled_by_another_shape(network, held_out):
    upside_down = held_out.ims[:, :, ::-1]
    legible = np.isin(held_out.labels, [2, 4, 5, 7])  # these are no digits, or other ones, upside down
    assert recognized_share(network(upside_down[legible])[1], held_out.labels[legible]) < .5


@pytest.mark.parametrize('height, width', [(16, 16), (32, 32), (48, 16), (28, 28), (8, 20)])
def test_reduction_averages_over_areas(height, width):
    # Oracle: every pixel drawn as 16x16 equal ones, so that each of the 16x16 areas holds a whole number of them.
    x = np.random.default_rng(0).uniform(-1., 1., (2, 3, height, width)).astype(np.float32)
    fine = np.repeat(np.repeat(x.mean(axis=1), 16, axis=1), 16, axis=2)
    areas = fine.reshape(2, 16, height, 16, width).mean(axis=(2, 4))
    expected = np.broadcast_to(areas[:, None], (2, 3, 16, 16)).astype(np.float32)
    net = DigitsNet()
    np.testing.assert_allclose(net.features(x).array, net.features(expected).array, atol=1e-5)
