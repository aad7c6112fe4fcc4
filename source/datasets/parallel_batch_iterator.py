from collections import deque
from concurrent.futures import ThreadPoolExecutor

from source.datasets.batch_iterator import BatchIterator

LEAST_AHEAD = 8  # batches; an iteration takes n_dis of them at once


class ParallelBatchIterator(BatchIterator):
    """The batches of BatchIterator, bit for bit, read ahead by `workers` threads.

    A batch is wholly determined by how many images were drawn before it, so each is one worker's job, whoever does
    it and whenever. Threads, as Pillow and NumPy release the interpreter while they decode, resize and copy: nothing
    is sent between processes, and nothing forks, which OpenMP under the CPU kernels does not survive.

    Args:
        dataset, batchsize, seed, process, accumulate: as in BatchIterator. `get_examples` and `load_ims` are called
            from several threads.
        workers: threads, at least 1.

    At most max(LEAST_AHEAD, 2 * workers) batches are held. A worker's error is raised by the `next` that would have
    returned its batch. `finalize`, which Chainer's trainer calls in any case, waits for the batches being read and
    drops the others; the next `next` would start anew.
    """

    def __init__(self, dataset, batchsize, seed=0, workers=1, process=(0, 1), accumulate=1):
        self._pool, self._ahead = None, deque()  # of (what, n_drawn, future)
        if workers < 1:
            raise ValueError(f'workers: expected at least 1, got {workers!r}')
        super().__init__(dataset, batchsize, seed, process, accumulate)
        self.workers = workers

    def __copy__(self):
        """One at the same image that reads ahead by threads of its own."""
        other = type(self)(self.dataset, self.batch_size // self.accumulate, self.seed, self.workers,
                           (self.rank, self.n_processes), self.accumulate)
        other.n_drawn = self.n_drawn
        return other

    def _draw(self, what):
        if self._ahead and self._ahead[0][:2] != (what, self.n_drawn):
            self._drop()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers, 'loader')
        n_drawn = self._ahead[-1][1] + self.n_together if self._ahead else self.n_drawn
        while len(self._ahead) < max(LEAST_AHEAD, 2 * self.workers):
            self._ahead.append((what, n_drawn, self._pool.submit(self._job(what, n_drawn))))
            n_drawn += self.n_together
        batch = self._ahead.popleft()[2].result()
        self.n_drawn += self.n_together
        return batch

    def _drop(self):
        for *_, future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def finalize(self):
        self._drop()
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None
