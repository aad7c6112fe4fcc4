"""Which images a batch holds, and what is drawn with them; going on is in test_parallel_batch_iterator.py."""
from source.datasets.batch_iterator import BatchIterator
from source.datasets.parallel_batch_iterator import ParallelBatchIterator

import numpy as np
import pytest


class Indices:
    """A dataset whose images are random numbers drawn with them, and whose labels tell their index."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def get_examples(self, indices, rng):
        return rng.uniform(size=len(indices)), indices


def uneven(n):
    """Indices with labels of classes of very different sizes, some of one image."""
    dataset = Indices(n)
    dataset.labels = (np.random.RandomState(0).uniform(size=n) ** 3 * n / 4).astype(int)
    return dataset


def indices_of(batch):
    return [int(y) for _, y in batch]


def test_epoch_counts():
    iterator, found = BatchIterator(Indices(10), 4), []
    for _ in range(6):
        found.append((iterator.epoch, iterator.epoch_detail, iterator.previous_epoch_detail, iterator.is_new_epoch))
        iterator.next()
    assert found == [(0, 0., 0., False), (0, .4, 0., False), (0, .8, .4, False), (1, 1.2, .8, True),
                     (1, 1.6, 1.2, False), (2, 2., 1.6, True)]


def test_seed_decides_order_and_noise_which_never_repeats():
    def drawn(seed):
        iterator = BatchIterator(Indices(10), 4, seed)
        pairs = sum((iterator.next() for _ in range(50)), [])
        return indices_of(pairs), [x for x, _ in pairs]
    order, noise = drawn((7, 1))
    other_order, other_noise = drawn((8, 1))
    assert order == sum((np.random.RandomState((7, 1, 0, k)).permutation(10).tolist() for k in range(20)), [])
    assert (order, noise) == drawn((7, 1)) and order != other_order
    assert len({*noise, *other_noise}) == 400
    pairs = [(0, k) for k in range(10)]  # any sequence will do, and several epochs in a batch
    assert indices_of(BatchIterator(pairs, 200, (7, 1)).next()) == order


# Parts of several processes

def parts_of(dataset, batchsize, n_parts):
    return [BatchIterator(dataset, batchsize, 7, (rank, n_parts)) for rank in range(n_parts)]


@pytest.mark.parametrize('make, n, batchsize, n_parts, n_drawn', [
    (uneven, 50, 4, 3, 0), (Indices, 50, 3, 2, 0), (uneven, 10, 4, 4, 0), (uneven, 97, 2, 5, 0), (Indices, 3, 2, 4, 0),
    (uneven, 1, 1, 3, 0), (uneven, 29, 3, 3, 8), (uneven, 29, 3, 3, 72), (uneven, 29, 4, 2, 9)])
def test_parts_are_one_batch(make, n, batchsize, n_parts, n_drawn):
    """Also where other numbers of processes drew some images before.

    `share` puts samples to the images that they would have in one process; others are sliced. Forked loaders of the
    released code draw identical noise; here no two images of a batch have the same.
    """
    dataset = make(n)
    whole, parts = BatchIterator(dataset, batchsize * n_parts, seed=7), parts_of(dataset, batchsize, n_parts)
    samples, others = np.random.RandomState(0).normal(size=whole.batch_size), np.arange(9 * n_parts)
    for iterator in (whole, *parts):
        iterator.n_drawn = n_drawn
    for _ in range(3 * n // whole.batch_size + 4):
        np.testing.assert_array_equal(np.concatenate([part.share(others) for part in parts]), others)
        expected, found = indices_of(whole.next()), [part.next() for part in parts]
        assert {len(batch) for batch in found} == {batchsize}
        pairs = [pair for part, batch in zip(parts, found, strict=True)
                 for pair in zip(indices_of(batch), part.share(samples), strict=True)]
        assert sorted(pairs) == sorted(zip(expected, samples, strict=True))
        assert len({x for batch in found for x, _ in batch}) == len(pairs)
        assert {part.epoch_detail for part in parts} == {whole.epoch_detail}
        assert {part.is_new_epoch for part in parts} == {whole.is_new_epoch}


@pytest.mark.parametrize('cls', [BatchIterator, ParallelBatchIterator])
@pytest.mark.parametrize('make, n, batchsize, n_processes, accumulate, n_drawn', [
    (uneven, 50, 4, 1, 3, 0), (Indices, 29, 3, 2, 2, 8), (uneven, 1, 1, 1, 3, 0)])
def test_accumulated_parts_are_batches_of_processes(cls, make, n, batchsize, n_processes, accumulate, n_drawn):
    dataset = make(n)
    expected = parts_of(dataset, batchsize, n_processes * accumulate)
    iterators = [cls(dataset, batchsize, 7, process=(rank, n_processes), accumulate=accumulate)
                 for rank in range(n_processes)]
    for iterator in (*iterators, *expected):
        iterator.n_drawn = n_drawn
    samples, others = (np.arange(k * n_processes * accumulate) for k in (batchsize, 9))
    for _ in range(5):
        batches = [part.next() for part in expected]
        for k, iterator in enumerate(iterators):
            assert iterator.next() == sum(batches[k * accumulate:(k + 1) * accumulate], [])
        for drawn in (samples, others):
            np.testing.assert_array_equal(np.concatenate([iterator.share(drawn) for iterator in iterators]),
                                          np.concatenate([part.share(drawn) for part in expected]))
    for iterator in iterators:
        iterator.finalize()


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
    np.testing.assert_array_equal(counts[:-1].sum(axis=1), [np.bincount(dataset.labels)] * n_epochs)
    assert np.ptp(counts[:-1], axis=1).max() == 1
    assert np.ptp(counts[:-1].sum(axis=2), axis=1).max() <= 1


@pytest.mark.parametrize('labels', [None, ['a'] * 9, np.eye(9, dtype=int), np.arange(5), np.array([None] * 9)])
def test_labels_that_are_no_classes_are_dealt_as_none(labels):
    """As of an unconditional data set, whose labels nothing else asks for."""
    dataset = Indices(9)
    dataset.labels = labels
    found, plain = (BatchIterator(each, 2, 7, accumulate=2) for each in (dataset, Indices(9)))
    for _ in range(4):
        assert found.next() == plain.next()
