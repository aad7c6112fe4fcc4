"""The oracle is BatchIterator, whose own tests say what a batch holds."""
import gc
import threading
import time

from source.datasets.batch_iterator import BatchIterator
from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.parallel_batch_iterator import LEAST_AHEAD, ParallelBatchIterator
from tests.children import wait_until

import chainer
import numpy as np
import pytest


class Shuffled(ImageDataset):
    """Images with an augmentation that is drawn, read at speeds that vary, so that workers end out of turn."""

    def __init__(self, n=11, broken=-1):
        ims = np.random.RandomState(0).randint(256, size=(n, 3, 4, 4), dtype=np.uint8)
        super().__init__(ims, np.arange(n) % 5, 5)
        self.n_reads, self.broken, self.lock = 0, broken, threading.Lock()

    def load_ims(self, indices, rng=None):
        if self.broken in indices:
            raise ValueError('an image is broken')
        with self.lock:
            self.n_reads += 1
            turn = self.n_reads
        time.sleep(.002 * (turn % 3))
        return self.ims[indices] if rng is None else np.roll(self.ims[indices], rng.randint(4), axis=3)


def make(dataset, batchsize, seed=0, workers=None):
    """One that is forgotten ends its threads (test_one_forgotten_leaves_no_threads)."""
    if workers is None:
        return BatchIterator(dataset, batchsize, seed)
    return ParallelBatchIterator(dataset, batchsize, seed, workers)


def same(found, expected):
    for (x, y), (x_expected, y_expected) in zip(found, expected, strict=True):
        assert (x.dtype, x.tobytes(), y) == (x_expected.dtype, x_expected.tobytes(), y_expected)


@pytest.mark.parametrize('workers, batchsize', [(1, 4), (2, 30), (5, 11)])
def test_the_same_batches_whatever_the_number_of_workers(workers, batchsize):
    plain, parallel = make(Shuffled(), batchsize, (3, 1)), make(Shuffled(), batchsize, (3, 1), workers)
    for _ in range(3 * LEAST_AHEAD):
        same(parallel.next(), plain.next())
        assert (parallel.epoch, parallel.epoch_detail, parallel.previous_epoch_detail, parallel.is_new_epoch) == (
            plain.epoch, plain.epoch_detail, plain.previous_epoch_detail, plain.is_new_epoch)


@pytest.mark.parametrize('workers', [None, 3])
def test_images_before_noise(workers):
    """next_ims is next less its noise, which is what the rng gives after the augmentation; the two may be mixed."""
    dataset = DigitsDataset(size=16, augmentation=True)
    examples, before_noise = make(dataset, 6, (7, 1)), make(dataset, 6, (7, 1), workers)
    for k in range(4):
        ims, labels = before_noise.next_ims()
        assert (ims.dtype, ims.shape, labels.dtype, labels.shape) == (np.uint8, (6, 3, 16, 16), np.int32, (6,))
        x, y = chainer.dataset.concat_examples(examples.next())
        rng = np.random.RandomState((7, 1, 1, 12 * k))
        rng.randint(-1, 2, (6, 2))  # the digits' moves
        expected = (ims / 128. - 1. + rng.uniform(0., 1. / 128., ims.shape)).astype(np.float32)
        np.testing.assert_array_equal(x, expected)
        np.testing.assert_array_equal(y, labels)
        same(before_noise.next(), examples.next())


@pytest.mark.parametrize('k, workers, workers_after', [(0, 3, 1), (1, None, 2), (5, 2, None), (13, None, None)])
def test_resumes_at_the_exact_image(k, workers, workers_after):
    stopped = make(Shuffled(), 4, 3, workers)
    for _ in range(k):
        stopped.next()
    target = chainer.serializers.DictionarySerializer()
    stopped.serialize(target)
    resumed = make(Shuffled(), 4, 3, workers_after)
    resumed.next()  # what was drawn, or read ahead, before must not matter
    chainer.serializers.NpzDeserializer(target.target).load(resumed)
    for _ in range(LEAST_AHEAD + 2):
        same(resumed.next(), stopped.next())


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith('loader')}


def test_reads_a_bounded_number_ahead_and_stops():
    before, dataset, expected = threads(), Shuffled(), make(Shuffled(), 4)
    iterator = make(dataset, 4, workers=2)
    assert dataset.n_reads == 0 and threads() <= before
    same(iterator.next(), expected.next())
    wait_until(lambda: all(future.done() for *_, future in iterator._ahead))
    assert dataset.n_reads == LEAST_AHEAD and len(threads() - before) == 2
    for _ in range(2):
        iterator.finalize()
        iterator.finalize()
        assert threads() <= before
        same(iterator.next(), expected.next())  # and goes on, should it be asked to


def test_one_forgotten_leaves_no_threads():
    before, iterator = threads(), ParallelBatchIterator(Shuffled(), 4, workers=2)
    iterator.next()
    started = threads() - before
    del iterator
    gc.collect()
    wait_until(lambda: not any(thread.is_alive() for thread in started))


@pytest.mark.parametrize('workers', [None, 3])
def test_an_error_comes_with_its_own_batch(workers):
    n_before = int(np.flatnonzero(np.random.RandomState((1, 0, 0)).permutation(20) == 7)[0]) // 2
    assert 0 < n_before < 9  # neither the first batch nor the last
    iterator = make(Shuffled(20, broken=7), 2, 1, workers)
    for _ in range(n_before):
        iterator.next()
    with pytest.raises(ValueError, match='an image is broken'):
        iterator.next()
    assert iterator.n_drawn == 2 * n_before


def test_refuses_no_workers():
    with pytest.raises(ValueError, match='workers: expected at least 1, got 0'):
        ParallelBatchIterator(Shuffled(), 4, workers=0)
