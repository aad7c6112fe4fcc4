from source.datasets.batch_iterator import BatchIterator
from source.datasets.image_dataset import ImageDataset

import chainer
import numpy as np
import pytest


class Indices:
    """A dataset whose images tell their index and what random number was drawn with them."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def get_examples(self, indices, rng):
        return np.stack([np.asarray(indices, float), rng.uniform(size=len(indices))], axis=1), np.asarray(indices)


def indices_of(batch):
    return [int(y) for _, y in batch]


def noise_of(batch):
    return [x[1] for x, _ in batch]


@pytest.mark.parametrize('n, batchsize', [(12, 4), (10, 4), (7, 7), (5, 3), (3, 8), (1, 2)])
def test_every_epoch_holds_every_image_once(n, batchsize):
    iterator = BatchIterator(Indices(n), batchsize, seed=3)
    drawn = []
    while len(drawn) < 6 * n * batchsize:
        batch = iterator.next()
        assert len(batch) == batchsize
        drawn += indices_of(batch)
    epochs = [tuple(drawn[k:k + n]) for k in range(0, len(drawn), n)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    assert len(set(epochs)) > 1 or n == 1


def test_order_is_uniform():
    """χ² of which image comes first, over 600 seeds: 5 degrees of freedom, the 0.1 % and 99.9 % quantiles."""
    first = [indices_of(BatchIterator(Indices(6), 1, seed).next())[0] for seed in range(600)]
    chi2 = ((np.bincount(first, minlength=6) - 100) ** 2 / 100).sum()
    assert .21 < chi2 < 20.5


def test_epoch_counts():
    iterator = BatchIterator(Indices(10), 4)
    found = []
    for _ in range(5):
        iterator.next()
        found.append((iterator.epoch, iterator.epoch_detail, iterator.previous_epoch_detail, iterator.is_new_epoch))
    assert found == [
        (0, .4, 0., False), (0, .8, .4, False), (1, 1.2, .8, True), (1, 1.6, 1.2, False), (2, 2., 1.6, True)]


def test_nothing_drawn_yet():
    iterator = BatchIterator(Indices(10), 4)
    assert (iterator.epoch, iterator.epoch_detail, iterator.previous_epoch_detail, iterator.is_new_epoch) == (
        0, 0., 0., False)


def batches(seed, n=6):
    iterator = BatchIterator(Indices(10), 4, seed)
    return [iterator.next() for _ in range(n)]


def test_seed_decides_order_and_noise():
    same, again, other = batches((7, 1)), batches((7, 1)), batches((8, 1))
    assert [indices_of(b) for b in same] == [indices_of(b) for b in again]
    assert [noise_of(b) for b in same] == [noise_of(b) for b in again]
    assert [indices_of(b) for b in same] != [indices_of(b) for b in other]
    assert not set(np.ravel([noise_of(b) for b in same])) & set(np.ravel([noise_of(b) for b in other]))


def test_noise_never_repeats():
    noise = np.ravel([noise_of(b) for b in batches(0, 50)])
    assert len(set(noise)) == len(noise) == 200


@pytest.mark.parametrize('k', range(6))
def test_resumes_at_any_batch(k):
    target = chainer.serializers.DictionarySerializer()
    iterator = BatchIterator(Indices(10), 4, 3)
    for _ in range(k):
        iterator.next()
    iterator.serialize(target)
    resumed = BatchIterator(Indices(10), 4, 3)
    resumed.next()  # what was drawn before must not matter
    chainer.serializers.NpzDeserializer(target.target).load(resumed)
    for _ in range(6):
        expected, found = iterator.next(), resumed.next()
        assert indices_of(expected) == indices_of(found)
        assert noise_of(expected) == noise_of(found)
    assert (resumed.epoch, resumed.epoch_detail) == (iterator.epoch, iterator.epoch_detail)


def test_global_random_state_is_not_touched():
    np.random.seed(0)
    before = np.random.get_state()[1].tobytes()
    batches(0)
    assert np.random.get_state()[1].tobytes() == before


def test_any_sequence_of_pairs():
    pairs = [(np.full(2, k), k) for k in range(5)]
    assert sorted(indices_of(BatchIterator(pairs, 5).next())) == list(range(5))


def test_batches_are_what_the_updater_takes():
    ims = np.random.RandomState(0).randint(256, size=(6, 3, 8, 8), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2])
    x, y = chainer.dataset.concat_examples(BatchIterator(ImageDataset(ims, labels, 3), 6).next())
    assert (x.dtype, x.shape, y.dtype, y.shape) == (np.float32, (6, 3, 8, 8), np.int32, (6,))
    order = [np.abs(x[k] - (ims / 128. - 1.)).max(axis=(1, 2, 3)).argmin() for k in range(6)]
    assert sorted(order) == list(range(6))
    np.testing.assert_array_equal(y, labels[order])
    noise = x - (ims[order] / 128. - 1.)
    assert noise.min() > -1e-6
    assert noise.max() < 1 / 128 + 1e-6
    assert abs(noise.mean() - 1 / 256) < 4 * (1 / 128) / np.sqrt(12 * noise.size)
