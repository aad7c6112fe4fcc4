"""Which images a batch holds, and what is drawn with them; going on is in test_parallel_batch_iterator.py."""
from source.datasets.batch_iterator import BatchIterator

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


def uneven(n):
    """Indices with labels of classes of very different sizes, some of one image."""
    dataset = Indices(n)
    dataset.labels = (np.random.RandomState(0).uniform(size=n) ** 3 * n / 4).astype(int)
    return dataset


def indices_of(batch):
    return [int(y) for _, y in batch]


@pytest.mark.parametrize('n, batchsize', [(12, 4), (10, 4), (7, 7), (3, 8), (1, 2)])
def test_every_epoch_holds_every_image_once(n, batchsize):
    iterator = BatchIterator(Indices(n), batchsize, seed=3)
    batches = [iterator.next() for _ in range(6 * n)]
    assert {len(batch) for batch in batches} == {batchsize}
    drawn = sum(map(indices_of, batches), [])
    epochs = [tuple(drawn[k:k + n]) for k in range(0, len(drawn), n)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    assert len(set(epochs)) > 1 or n == 1


def test_epoch_counts():
    iterator, found = BatchIterator(Indices(10), 4), []
    for _ in range(6):
        found.append((iterator.epoch, iterator.epoch_detail, iterator.previous_epoch_detail, iterator.is_new_epoch))
        iterator.next()
    assert found == [(0, 0., 0., False), (0, .4, 0., False), (0, .8, .4, False), (1, 1.2, .8, True),
                     (1, 1.6, 1.2, False), (2, 2., 1.6, True)]


def test_seed_decides_order_and_noise_which_never_repeats():
    np.random.seed(0)
    before = np.random.get_state()[1].tobytes()

    def drawn(seed):
        iterator = BatchIterator(Indices(10), 4, seed)
        pairs = sum((iterator.next() for _ in range(50)), [])
        return indices_of(pairs), [x[1] for x, _ in pairs]
    order, noise = drawn((7, 1))
    other_order, other_noise = drawn((8, 1))
    assert (order, noise) == drawn((7, 1))
    assert order != other_order and len({*noise, *other_noise}) == 400
    assert np.random.get_state()[1].tobytes() == before


def test_any_sequence_of_pairs():
    pairs = [(np.full(2, k), k) for k in range(5)]
    assert sorted(indices_of(BatchIterator(pairs, 5).next())) == list(range(5))


# Parts of several processes

def parts_of(dataset, batchsize, n_parts):
    return [BatchIterator(dataset, batchsize, 7, (rank, n_parts)) for rank in range(n_parts)]


@pytest.mark.parametrize('make, n, batchsize, n_parts', [
    (uneven, 50, 4, 3), (Indices, 50, 3, 2), (uneven, 10, 4, 4), (uneven, 97, 2, 5), (Indices, 3, 2, 4),
    (uneven, 1, 1, 3)])
def test_parts_are_one_batch(make, n, batchsize, n_parts):
    """`share` puts samples to the images that they would have in one process; others are sliced.

    Forked loaders of the released code draw identical noise; here no two images of a batch have the same.
    """
    dataset = make(n)
    whole, parts = BatchIterator(dataset, batchsize * n_parts, seed=7), parts_of(dataset, batchsize, n_parts)
    samples, others = np.random.RandomState(0).normal(size=(batchsize * n_parts, 2)), np.arange(9 * n_parts)
    for _ in range(3 * n // (batchsize * n_parts) + 4):
        np.testing.assert_array_equal(np.concatenate([part.share(others) for part in parts]), others)
        expected, found = indices_of(whole.next()), [part.next() for part in parts]
        pairs = [pair for part, batch in zip(parts, found, strict=True)
                 for pair in zip(indices_of(batch), part.share(samples)[:, 0].tolist(), strict=True)]
        assert sorted(pairs) == sorted(zip(expected, samples[:, 0].tolist(), strict=True))
        assert len({x[1] for batch in found for x, _ in batch}) == len(pairs)
        assert {part.epoch_detail for part in parts} == {whole.epoch_detail}
        assert {part.is_new_epoch for part in parts} == {whole.is_new_epoch}


@pytest.mark.parametrize('n, batchsize, n_parts', [(200, 10, 2), (203, 4, 3), (202, 3, 4)])
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
    assert np.ptp(counts, axis=1).max() == 1
    assert np.ptp(counts.sum(axis=2), axis=1).max() <= 1


def test_classes_of_one_process_are_shuffled_and_no_more():
    """So shares change nothing for one process: its batches are the first images of the epoch's permutation."""
    order = np.random.RandomState((7, 0, 0)).permutation(50)
    assert indices_of(BatchIterator(uneven(50), 12, seed=7).next()) == order[:12].tolist()


@pytest.mark.parametrize('k', [1, 9])
def test_parts_go_on_at_any_batch_with_any_number_of_processes(k):
    dataset = uneven(29)
    parts = parts_of(dataset, 4, 2)
    for part in parts:
        for _ in range(k):
            part.next()
    again, three, whole = parts_of(dataset, 4, 2), parts_of(dataset, 3, 3), BatchIterator(dataset, 9, seed=7)
    for iterator in (*again, *three, whole):
        iterator.n_drawn = parts[0].n_drawn
    for _ in range(8):
        assert [indices_of(part.next()) for part in parts] == [indices_of(part.next()) for part in again]
        assert sorted(sum((indices_of(part.next()) for part in three), [])) == sorted(indices_of(whole.next()))
