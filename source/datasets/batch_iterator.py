import functools

from source.datasets.batch_checks import whole_labels

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
        process: (rank, size) of several processes. Their batches make one together, whose images are those that one
            process would draw; who takes which is such (even_shares.py) that over an epoch no two of them see counts
            of a class that differ by more than one, as far as the dataset has `labels`.
        accumulate: the parts that a process makes an update of. A batch is then one after another those of as many
            processes.
    """

    def __init__(self, dataset, batchsize, seed=0, process=(0, 1), accumulate=1):
        self.dataset, self.batch_size, self.accumulate = dataset, batchsize * accumulate, accumulate
        self.rank, self.n_processes = process
        self.seed = tuple(np.atleast_1d(seed).tolist())
        self.n_drawn = 0
        self._epochs = {}

    def __next__(self):
        return self._draw(_examples)

    next = __next__

    def look(self):
        """Return what `next` would, and the images' indices, without moving on; always reads in this thread."""
        return self._job(_examples, self.n_drawn)(), self._batch(self.n_drawn)[0]

    @property
    def last_indices(self):
        """The indices of the images of the batch drawn last."""
        return self._batch(self.n_drawn - self.n_together)[0]

    @property
    def gives_ims(self):
        """Whether there is `next_ims`: the dataset is one of uint8 images."""
        return hasattr(self.dataset, 'load_ims') and hasattr(self.dataset, 'labels')

    def next_ims(self):
        """Return the next batch as ims, uint8 (B, C, H, W), augmented but without noise, and labels, int32 (B,).

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
        first, indices = n_drawn + self.rank * self.batch_size, self._batch(n_drawn)[0]
        size = self.batch_size // self.accumulate
        starts = range(0, self.batch_size, size)
        return functools.partial(what, self.dataset, [(indices[start:start + size], (*self.seed, 1, first + start))
                                                      for start in starts])

    def _batch(self, n_drawn):
        """The images of the batch after `n_drawn`, and their slots, which are their places in that of all processes.

        Both part by part.
        """
        epochs, places = np.divmod(np.arange(n_drawn, n_drawn + self.n_together), len(self.dataset))
        indices, ranks = np.empty_like(places), np.empty_like(places)
        for epoch in range(epochs[0], epochs[-1] + 1):
            of_epoch = epochs == epoch
            for found, values in zip((indices, ranks), self._epoch(epoch, n_drawn % self.n_parts), strict=True):
                found[of_epoch] = values[places[of_epoch]]
        mine = range(self.rank * self.accumulate, (self.rank + 1) * self.accumulate)
        slots = np.concatenate([np.flatnonzero(ranks == part) for part in mine])
        return indices[slots], slots

    def _epoch(self, epoch, offset):
        """The images of an epoch in order, and which part of which process takes each; `offset` images were drawn when
        groups of one image for each began."""
        if (epoch, offset) not in self._epochs:
            n = len(self.dataset)
            order = np.random.RandomState((*self.seed, 0, epoch)).permutation(n)
            ranks = np.zeros(n, np.int32)
            if self.n_parts > 1:
                from source.datasets.even_shares import even_shares  # which compiles, and one process needs none
                labels = whole_labels(self.dataset)
                labels = np.zeros(n, int) if labels is None else labels[order]
                ranks = even_shares(labels, self.n_parts, (epoch * n - offset) % self.n_parts)
            latest = list(self._epochs.items())[-2:]  # what is read ahead may be in the next one already
            self._epochs = {**dict(latest), (epoch, offset): (order, ranks)}
        return self._epochs[epoch, offset]

    def share(self, samples):
        """What goes with this process's last batch of `samples`, one for each image of all processes' last batches.

        Of another number of samples, which go with no images, each process has as many, one after another.
        """
        n = len(samples) // self.n_processes
        if n == self.batch_size and self.n_drawn >= self.n_together:
            return samples[self._batch(self.n_drawn - self.n_together)[1]]
        return samples[self.rank * n:(self.rank + 1) * n]

    @property
    def n_together(self):
        """Images that all processes draw at once."""
        return self.batch_size * self.n_processes

    @property
    def n_parts(self):
        """Parts of an update, those of all processes together."""
        return self.n_processes * self.accumulate

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


def _examples(dataset, parts):
    if hasattr(dataset, 'get_examples'):
        return [example for indices, seed in parts
                for example in zip(*dataset.get_examples(indices, np.random.RandomState(seed)), strict=True)]
    examples = []
    for i in np.concatenate([indices for indices, _ in parts]):
        try:
            examples.append(dataset[i])
        except Exception as error:
            error.at_image = i  # for whoever tells what happened
            raise
    return examples


def _ims(dataset, parts):
    ims = [dataset.load_ims(indices.astype(np.intp), np.random.RandomState(seed)) for indices, seed in parts]
    labels = dataset.labels[np.concatenate([indices for indices, _ in parts])]
    return ims[0] if len(ims) == 1 else np.concatenate(ims), labels
