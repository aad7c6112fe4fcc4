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


# Parts of several processes

class Labelled(Indices):
    def __init__(self, labels):
        super().__init__(len(labels))
        self.labels = np.asarray(labels)


def uneven(n, seed=0):
    """Labels of classes of very different sizes, some of one image."""
    return Labelled((np.random.RandomState(seed).uniform(size=n) ** 3 * n / 4).astype(int))


def parts_of(dataset, batchsize, n_parts, seed=7):
    return [BatchIterator(dataset, batchsize, seed, (rank, n_parts)) for rank in range(n_parts)]


@pytest.mark.parametrize('n, batchsize, n_parts', [
    (50, 4, 3), (50, 3, 2), (51, 3, 2), (10, 4, 4), (97, 2, 5), (3, 2, 4), (1, 1, 3), (1, 3, 2)])
@pytest.mark.parametrize('make', [Indices, uneven])
def test_parts_are_one_batch(n, batchsize, n_parts, make):
    """`share` puts samples to the images that they would have in one process."""
    dataset = make(n)
    whole, parts = BatchIterator(dataset, batchsize * n_parts, seed=7), parts_of(dataset, batchsize, n_parts)
    samples = np.random.RandomState(0).normal(size=(batchsize * n_parts, 2))
    for _ in range(3 * n // (batchsize * n_parts) + 4):
        expected = indices_of(whole.next())
        pairs = [pair for part in parts
                 for pair in zip(indices_of(part.next()), part.share(samples)[:, 0].tolist(), strict=True)]
        assert sorted(pairs) == sorted(zip(expected, samples[:, 0].tolist(), strict=True))
        assert {part.epoch_detail for part in parts} == {whole.epoch_detail}
        assert {part.is_new_epoch for part in parts} == {whole.is_new_epoch}


@pytest.mark.parametrize('n, batchsize, n_parts', [(200, 10, 2), (203, 7, 2), (203, 4, 3), (201, 8, 4), (202, 3, 4)])
def test_every_process_sees_as_much_of_a_class(n, batchsize, n_parts):
    """In every epoch, though epochs end within batches, and though the order of all is a plain shuffle."""
    dataset = uneven(n)
    parts, n_epochs = parts_of(dataset, batchsize, n_parts), 5
    counts = np.zeros((n_epochs + 1, n_parts, dataset.labels.max() + 1), int)
    while parts[0].n_drawn < n * n_epochs:
        for rank, part in enumerate(parts):
            n_drawn, indices = part.n_drawn, indices_of(part.next())
            epochs = (n_drawn + part.share(np.arange(batchsize * n_parts))) // n
            np.add.at(counts, (np.minimum(epochs, n_epochs), rank, dataset.labels[indices]), 1)
    counts = counts[:-1]
    np.testing.assert_array_equal(counts.sum(axis=1), [np.bincount(dataset.labels)] * n_epochs)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() == 1
    sizes = counts.sum(axis=2)
    assert (sizes.max(axis=1) - sizes.min(axis=1)).max() <= 1


def test_classes_of_one_process_are_shuffled_and_no_more():
    """So shares change nothing for one process: its batches are the first images of the epoch's permutation."""
    order = np.random.RandomState((7, 0, 0)).permutation(50)
    assert indices_of(BatchIterator(uneven(50), 12, seed=7).next()) == order[:12].tolist()


@pytest.mark.parametrize('k', [1, 3, 9])
def test_parts_resume_at_any_batch_and_with_another_number(k):
    dataset = uneven(29)
    parts = parts_of(dataset, 4, 2)
    for _ in range(k):
        for part in parts:
            part.next()
    for n_parts, batchsize in ((2, 4), (3, 3)):
        resumed = parts_of(dataset, batchsize, n_parts)
        whole = BatchIterator(dataset, batchsize * n_parts, seed=7)
        for iterator in (*resumed, whole):
            iterator.n_drawn = parts[0].n_drawn
        for _ in range(8):
            batches = [indices_of(part.next()) for part in resumed]
            assert {len(batch) for batch in batches} == {batchsize}
            assert sorted(sum(batches, [])) == sorted(indices_of(whole.next()))
    again = parts_of(dataset, 4, 2)
    for iterator in again:
        iterator.n_drawn = parts[0].n_drawn
    for _ in range(8):
        for one, other in zip(parts, again, strict=True):
            assert indices_of(one.next()) == indices_of(other.next())


def test_processes_draw_noise_of_their_own():
    """Forked loaders of the released code draw identical noise; here no two images of a batch have the same."""
    plain = ImageDataset(np.full((12, 3, 2, 2), 128, np.uint8), np.zeros(12, int), 1)
    noises = [np.stack([x for x, _ in BatchIterator(plain, 2, seed=3, part=(rank, 3)).next()]) for rank in range(3)]
    assert len({noise.tobytes() for batch in noises for noise in batch}) == 6


def test_samples_that_go_with_no_images_are_sliced():
    parts = parts_of(Indices(20), 4, 3)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([part.share(np.arange(15)) for part in parts]), np.arange(15))
        for part in parts:
            part.next()
