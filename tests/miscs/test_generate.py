from gen_models.resnet_32 import ResNetGenerator
from source.miscs.generate import generate_ims, to_uint8
from source.miscs.noise_sampler import NoiseSampler

import chainer
import numpy as np
import pytest


class Recorder(chainer.Chain):
    """A generator whose image is its first latent, its label and its place in the batch, and which notes how it ran."""

    n_classes, dim_z = 10, 2

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


@pytest.mark.parametrize('n, sizes', [(7, [3, 3, 1]), (6, [3, 3]), (2, [2])])
def test_n_need_not_be_a_multiple_of_the_batch(n, sizes):
    gen = Recorder()
    ims, y = generate_ims(gen, n, NoiseSampler(2, 10, seed=1), batchsize=3)
    assert gen.batches == [(size, False, False) for size in sizes]
    assert ims.shape == (n, 3, 2, 2)
    assert ims.dtype == np.uint8
    sampler = NoiseSampler(2, 10, seed=1)
    expected = [(sampler.categorical(size), sampler.continuous(size)[:, 0]) for size in sizes]
    labels, z = (np.concatenate(parts) for parts in zip(*expected, strict=True))
    np.testing.assert_array_equal(y, labels)
    np.testing.assert_array_equal(ims[:, 0, 0, 0], to_uint8((z / 10.).astype(np.float32)))
    np.testing.assert_array_equal(ims[:, 1, 0, 0], to_uint8((labels / 100.).astype(np.float32)))


def test_labels_keep_their_order():
    labels = np.random.RandomState(0).randint(10, size=7)
    ims, y = generate_ims(Recorder(), 7, NoiseSampler(2, 10, seed=1), labels, batchsize=3)
    np.testing.assert_array_equal(y, labels)
    assert y.dtype == np.int32
    np.testing.assert_array_equal(ims[:, 1, 0, 0], to_uint8((labels / 100.).astype(np.float32)))


def test_unconditional():
    ims, y = generate_ims(Recorder(n_classes=0), 5, NoiseSampler(2, seed=1), batchsize=2)
    assert y is None
    assert len(ims) == 5


def entries(link):
    target = chainer.serializers.DictionarySerializer()
    target.save(link)
    return {name: np.array(value) for name, value in target.target.items()}


def test_a_network_is_left_as_it_was():
    """Test mode: no batch statistics move, and an image does not depend on those generated with it."""
    gen = ResNetGenerator(ch=4, dim_z=3, bottom_width=1, n_classes=10)
    gen(8)
    before = entries(gen)
    labels = np.arange(7)
    ims, _ = generate_ims(gen, 7, NoiseSampler(3, 10, seed=1), labels, batchsize=7)
    split, _ = generate_ims(gen, 7, NoiseSampler(3, 10, seed=1), labels, batchsize=3)
    assert np.abs(ims.astype(int) - split).max() <= 1
    assert len(np.unique(ims.reshape(7, -1), axis=0)) == 7
    after = entries(gen)
    assert [name for name in before if not np.array_equal(before[name], after[name])] == []
