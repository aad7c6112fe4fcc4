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
    """

    def __init__(self, dataset, batchsize, seed=0):
        self.dataset, self.batch_size = dataset, batchsize
        self.seed = tuple(np.atleast_1d(seed).tolist())
        self.n_drawn = 0
        self._order_epoch, self._order = None, None

    def __next__(self):
        indices, rng = self._draw()
        if hasattr(self.dataset, 'get_examples'):
            return list(zip(*self.dataset.get_examples(indices, rng), strict=True))
        return [self.dataset[i] for i in indices]

    next = __next__

    @property
    def gives_ims(self):
        """Whether there is `next_ims`: the dataset is one of uint8 images."""
        return hasattr(self.dataset, 'load_ims') and hasattr(self.dataset, 'labels')

    def next_ims(self):
        """The next batch before its noise is added: ims uint8 (B, 3, H, W), augmented, and labels int32 (B,)."""
        indices, rng = self._draw()
        return self.dataset.load_ims(np.asarray(indices, np.intp), rng), self.dataset.labels[indices]

    def _draw(self):
        positions = range(self.n_drawn, self.n_drawn + self.batch_size)
        indices = [self._index(*divmod(position, len(self.dataset))) for position in positions]
        rng = np.random.RandomState((*self.seed, 1, self.n_drawn))
        self.n_drawn += self.batch_size
        return indices, rng

    def _index(self, epoch, position):
        if epoch != self._order_epoch:
            self._order = np.random.RandomState((*self.seed, 0, epoch)).permutation(len(self.dataset))
            self._order_epoch = epoch
        return self._order[position]

    @property
    def epoch(self):
        return self.n_drawn // len(self.dataset)

    @property
    def epoch_detail(self):
        return self.n_drawn / len(self.dataset)

    @property
    def previous_epoch_detail(self):
        return max(self.n_drawn - self.batch_size, 0) / len(self.dataset)

    @property
    def is_new_epoch(self):
        return self.n_drawn > 0 and self.epoch > int(self.previous_epoch_detail)

    def serialize(self, serializer):
        self.n_drawn = serializer('n_drawn', self.n_drawn)
