"""The oracle is BatchIterator, whose own tests say what a batch holds."""
import gc
import threading
import time

from source.datasets.batch_iterator import BatchIterator
from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.parallel_batch_iterator import LEAST_AHEAD, ParallelBatchIterator
from tests.children import wait_until
from tests.datasets.writers import pixels

import chainer
import numpy as np
import pytest


class Shuffled(ImageDataset):
    """Images with an augmentation that is drawn, read at speeds that vary, so that workers end out of turn."""

    def __init__(self, n=11, broken=-1):
        super().__init__(pixels(n, 3, 4, 4), np.arange(n) % 5, 5)
        self.n_reads, self.broken, self.lock = 0, broken, threading.Lock()

    def load_ims(self, indices, rng=None):
        if self.broken in indices:
            raise ValueError('an image is broken')
        with self.lock:
            self.n_reads += 1
        time.sleep(.002 * (self.n_reads % 3))
        return self.ims[indices] if rng is None else np.roll(self.ims[indices], rng.randint(4), axis=3)


def make(dataset, batchsize, seed=0, workers=None):
    """One that is forgotten ends its threads (test_one_forgotten_leaves_no_threads)."""
    if workers is None:
        return BatchIterator(dataset, batchsize, seed)
    return ParallelBatchIterator(dataset, batchsize, seed, workers)


def same(found, expected):
    for (x, y), (x_expected, y_expected) in zip(found, expected, strict=True):
        assert (x.dtype, x.tobytes(), y) == (x_expected.dtype, x_expected.tobytes(), y_expected)


@pytest.mark.parametrize('workers', [None, 3])
def test_images_before_noise(workers):
    """next_ims is next less its noise, which is what the rng gives after the augmentation; the two may be mixed."""
    dataset = DigitsDataset(size=16, augmentation=True)
    examples, before_noise = make(dataset, 6, (7, 1)), make(dataset, 6, (7, 1), workers)
    for k in range(4):
        ims, labels = before_noise.next_ims()
        assert (ims.dtype, ims.shape, labels.dtype, labels.shape) == (np.uint8, (6, 3, 16, 16), np.int32, (6,))
        rng = np.random.RandomState((7, 1, 1, 12 * k))
        rng.randint(-1, 2, (6, 2))  # the digits' moves
        x = (ims / 128. - 1. + rng.uniform(0., 1. / 128., ims.shape)).astype(np.float32)
        same(zip(x, labels, strict=True), examples.next())
        same(before_noise.next(), examples.next())


@pytest.mark.parametrize('k, batchsize, workers, workers_after', [
    (0, 4, None, 1), (1, 30, None, 2), (2, 11, 5, None), (5, 4, 3, 1), (13, 4, None, None)])
def test_the_same_batches_from_any_image_on_whatever_the_number_of_workers(k, batchsize, workers, workers_after):
    stopped = make(Shuffled(), batchsize, (3, 1), workers)
    for _ in range(k):
        stopped.next()
    target = chainer.serializers.DictionarySerializer()
    stopped.serialize(target)
    resumed = make(Shuffled(), batchsize, (3, 1), workers_after)
    resumed.next()  # what was drawn, or read ahead, before must not matter
    chainer.serializers.NpzDeserializer(target.target).load(resumed)
    for _ in range(3 * LEAST_AHEAD):
        same(resumed.next(), stopped.next())
        for name in ('epoch', 'epoch_detail', 'previous_epoch_detail', 'is_new_epoch'):
            assert getattr(resumed, name) == getattr(stopped, name)


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith('loader')}


def test_reads_a_bounded_number_ahead_and_stops():
    with pytest.raises(ValueError, match='workers: expected at least 1, got 0'):
        ParallelBatchIterator(Shuffled(), 4, workers=0)
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
