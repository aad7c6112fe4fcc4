import functools

import chainer
import numpy as np


class BatchIterator(chainer.dataset.Iterator):
    """Endless shuffled batches, wholly determined by a seed and the number of images drawn so far.

    The order of an epoch and the noise of a batch come from random states of their own, seeded with their number: to
    resume at the exact image takes that number alone. A batch may hold the end of one epoch and the start of the next.

    Args:
        dataset: with `get_examples(indices, rng)` (as `ImageDataset`), or any sequence of (image, label) pairs.
        batchsize: images in a batch.
        seed: an int or a sequence of ints.
        part: (rank, size) of several processes, whose batches are the parts of one; together they see an epoch once.
    """

    def __init__(self, dataset, batchsize, seed=0, part=(0, 1)):
        self.dataset, self.batch_size = dataset, batchsize
        self.rank, self.n_parts = part
        self.seed = tuple(np.atleast_1d(seed).tolist())
        self.n_drawn = 0
        self._order_epoch, self._order = None, None

    def __next__(self):
        return self._draw(_examples)

    next = __next__

    @property
    def gives_ims(self):
        """Whether there is `next_ims`: the dataset is one of uint8 images."""
        return hasattr(self.dataset, 'load_ims') and hasattr(self.dataset, 'labels')

    def next_ims(self):
        """Return the next batch as ims, uint8 (B, 3, H, W), augmented but without noise, and labels, int32 (B,).

        The images are those that `next` would give, and count as drawn: the two may be mixed. The dataset must have
        `load_ims` and `labels` as `ImageDataset` does; AttributeError where it does not.
        """
        return self._draw(_ims)

    def _draw(self, what):
        batch = self._job(what, self.n_drawn)()
        self.n_drawn += self.n_together
        return batch

    def _job(self, what, n_drawn):
        """A function that reads the batch after `n_drawn` images, the same whenever and wherever it is called."""
        first = n_drawn + self.rank * self.batch_size
        positions = range(first, first + self.batch_size)
        indices = [self._index(*divmod(position, len(self.dataset))) for position in positions]
        return functools.partial(what, self.dataset, indices, (*self.seed, 1, first))

    def _index(self, epoch, position):
        if epoch != self._order_epoch:
            self._order = np.random.RandomState((*self.seed, 0, epoch)).permutation(len(self.dataset))
            self._order_epoch = epoch
        return self._order[position]

    @property
    def n_together(self):
        """Images that all processes draw at once."""
        return self.batch_size * self.n_parts

    @property
    def n_batches(self):
        """Batches drawn so far, those of several processes being one."""
        return self.n_drawn // self.n_together

    @property
    def epoch(self):
        return self.n_drawn // len(self.dataset)

    @property
    def epoch_detail(self):
        return self.n_drawn / len(self.dataset)

    @property
    def previous_epoch_detail(self):
        return max(self.n_drawn - self.n_together, 0) / len(self.dataset)

    @property
    def is_new_epoch(self):
        return self.n_drawn > 0 and self.epoch > int(self.previous_epoch_detail)

    def serialize(self, serializer):
        self.n_drawn = serializer('n_drawn', self.n_drawn)


def _examples(dataset, indices, seed):
    if hasattr(dataset, 'get_examples'):
        return list(zip(*dataset.get_examples(indices, np.random.RandomState(seed)), strict=True))
    return [dataset[i] for i in indices]


def _ims(dataset, indices, seed):
    indices = np.asarray(indices, dtype=np.intp)
    return dataset.load_ims(indices, np.random.RandomState(seed)), dataset.labels[indices]
