from gen_models.resnet_32 import ResNetGenerator
from source.miscs.generate import generate_ims, to_uint8
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import flattened

import chainer
import numpy as np
import pytest


class Recorder(chainer.Chain):
    """A generator whose image is its first latent, its label and its place in the batch, and which notes how it ran."""

    dim_z = 2

    def __init__(self, n_classes=10):
        super().__init__()
        self.n_classes, self.batches = n_classes, []

    def forward(self, batchsize, z, y):
        self.batches.append((batchsize, chainer.config.train, chainer.config.enable_backprop))
        label = np.zeros(batchsize) if y is None else y / 100.
        x = np.stack([z[:, 0] / 10., label, np.arange(batchsize) / 100.], axis=1)
        return chainer.Variable(np.broadcast_to(x[:, :, None, None], (batchsize, 3, 2, 2)).astype(np.float32))


def test_uint8_of_the_papers_range():
    x = np.array([-2., -1., -1. + 1.01 / 127.5, 0., .5, 1., 3.])
    assert to_uint8(x).tolist() == [0, 0, 1, 127, 191, 255, 255]
    assert to_uint8(x).dtype == np.uint8


@pytest.mark.parametrize('n, sizes, given', [
    (7, [3, 3, 1], None), (6, [3, 3], None), (7, [3, 3, 1], np.array([5, 0, 9, 2, 2, 7, 1]))])
def test_n_need_not_be_a_multiple_of_the_batch(n, sizes, given):
    """Labels are drawn, or keep the order in which they are given."""
    gen = Recorder()
    ims, y = generate_ims(gen, n, NoiseSampler(2, 10, seed=1), given, batchsize=3)
    assert gen.batches == [(size, False, False) for size in sizes]
    assert ims.shape == (n, 3, 2, 2)
    assert (ims.dtype, y.dtype) == (np.uint8, np.int32)
    sampler, labels, z = NoiseSampler(2, 10, seed=1), [], []
    for size in sizes:
        labels.extend(sampler.categorical(size) if given is None else given[len(labels):len(labels) + size])
        z.extend(sampler.continuous(size)[:, 0])
    np.testing.assert_array_equal(y, labels)
    np.testing.assert_array_equal(ims[:, 0, 0, 0], to_uint8(np.array(z, np.float32) / 10))
    np.testing.assert_array_equal(ims[:, 1, 0, 0], to_uint8(np.array(labels) / 100))
    ims, y = generate_ims(Recorder(n_classes=0), n, NoiseSampler(2, seed=1), batchsize=2)
    assert y is None and len(ims) == n


def test_a_network_is_left_as_it_was():
    """Test mode: no batch statistics move, and an image does not depend on those generated with it."""
    gen = ResNetGenerator(ch=4, dim_z=3, bottom_width=1, n_classes=10)
    gen(8)
    before = {name: np.array(value) for name, value in flattened(gen).items()}
    labels = np.arange(7)
    ims, _ = generate_ims(gen, 7, NoiseSampler(3, 10, seed=1), labels, batchsize=7)
    split, _ = generate_ims(gen, 7, NoiseSampler(3, 10, seed=1), labels, batchsize=3)
    assert np.abs(ims.astype(int) - split).max() <= 1
    assert len(np.unique(ims.reshape(7, -1), axis=0)) == 7
    after = flattened(gen)
    assert [name for name in before if not np.array_equal(before[name], after[name])] == []
