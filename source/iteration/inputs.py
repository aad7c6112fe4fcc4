"""What a training iteration is fed: latents, labels and real images, drawn when asked for or from buffers that stay.

A step asks for its inputs one after the other, `(kind, n)` each, and gets arrays on its device:

    ('categorical', n)    labels int32 (n,)
    ('continuous', n)     latents float32 (n, dim_z)
    ('augmentation', n)   numbers float32 (n, 7) in [0, 1), of augmented images
    ('real', None)        images, uint8 (B, C, H, W) or float32 as the dataset gives them, and labels int32 (B,)

An iteration's requests are the same every time, and so are their shapes: a captured step relies on that.
"""
import copy
from concurrent.futures import ThreadPoolExecutor

from source.datasets.batch_checks import BatchCheck
from source.datasets.batch_iterator import BatchIterator
from source.datasets.parallel_batch_iterator import ParallelBatchIterator
from source.miscs.noise_sampler import NoiseSampler

import numpy as np

ALIGNMENT = 256  # bytes; what a GPU's copies and wide loads like


class Draws:
    """Draws on the CPU, as tuples of NumPy arrays.

    Of several processes all draw what one would draw for the whole batch, and each takes what goes with its images.

    Args:
        iterator: yields batches of (image, label) pairs; one with `next_ims` also gives uint8 images.
        sampler: has a method for every other kind.
        converter: makes arrays of a batch, as Chainer's `concat_examples`.
        check: a BatchCheck of float images and their labels; by default one that wants finite images.
    """

    def __init__(self, iterator, sampler, converter, as_uint8=False, check=None):
        self.iterator, self.sampler, self.converter = iterator, sampler, converter
        self.as_uint8 = as_uint8 and getattr(iterator, 'gives_ims', False)
        self.check = check or BatchCheck()

    def draw(self, kind, n):
        if kind == 'real':
            if self.as_uint8:
                return self.check.draw_ims(self.iterator)
            return self.check.draw(self.iterator, self.converter)
        draw = getattr(self.sampler, kind)
        if getattr(self.iterator, 'n_parts', 1) == 1:
            return draw(n),
        return self.iterator.share(draw(n * self.iterator.n_processes)),

    @property
    def runs_ahead(self):
        """Whether a copy can draw in advance: then all that is drawn depends on the state below alone."""
        return type(self.iterator) in (BatchIterator, ParallelBatchIterator) and type(self.sampler) is NoiseSampler

    def ahead(self):
        """A copy that draws what this one would. What this one's iterator has read ahead itself is dropped."""
        self.close()
        return Draws(copy.copy(self.iterator), copy.deepcopy(self.sampler), self.converter, self.as_uint8,
                     self.check)

    def close(self):
        """Ends the iterator's threads; it goes on where it was if it is asked again."""
        self.iterator.finalize()

    @property
    def state(self):
        return self.iterator.n_drawn, self.sampler.rng.get_state()

    @state.setter
    def state(self, state):
        self.iterator.n_drawn = state[0]
        self.sampler.rng.set_state(state[1])


def _equal(one, other):
    (n, (_, keys, *rest)), (other_n, (_, other_keys, *other_rest)) = one, other
    return n == other_n and rest == other_rest and np.array_equal(keys, other_keys)


class LiveInputs:
    """Draws when asked, and remembers what an iteration asked for.

    Attributes:
        requests: [((kind, n), [(shape, dtype) of each array])] since `begin`.
    """

    def __init__(self, draws, device):
        self.draws, self.device = draws, device
        self.begin()

    def begin(self):
        self.requests = []

    def __call__(self, kind, n=None):
        arrays = self.draws.draw(kind, n)
        self.requests.append(((kind, n), [(a.shape, a.dtype) for a in arrays]))
        return tuple(self.device.send(a) for a in arrays)


class StaticInputs:
    """One iteration's inputs as views of one buffer, which is filled anew between iterations.

    Args:
        requests: of an iteration, as `LiveInputs` remembers them.
        empty: function of a number of bytes that returns a uint8 array on the device.
    """

    def __init__(self, requests, empty):
        self.requests = requests
        self._places, self.n_bytes = [], 0
        for _, arrays in requests:
            self._places.append([])
            for shape, dtype in arrays:
                self._places[-1].append((self.n_bytes, shape, dtype))
                size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
                self.n_bytes += -(-size // ALIGNMENT) * ALIGNMENT
        self.buffer = empty(self.n_bytes)
        self._views = [self._view(self.buffer, places) for places in self._places]
        self.begin()

    @staticmethod
    def _view(buffer, places):
        return tuple(buffer[start:start + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize].view(dtype)
                     .reshape(shape) for start, shape, dtype in places)

    def begin(self):
        self._next = 0

    def __call__(self, kind, n=None):
        if self._next == len(self.requests) or self.requests[self._next][0] != (kind, n):
            expected = self.requests[self._next][0] if self._next < len(self.requests) else 'nothing'
            raise RuntimeError(f'the step asked for {(kind, n)} where an earlier iteration asked for {expected}')
        self._next += 1
        return self._views[self._next - 1]

    def draw_into(self, buffer, draws):
        """Draws all of an iteration's inputs into a NumPy buffer of `n_bytes`."""
        for (request, _), places in zip(self.requests, self._places, strict=True):
            arrays = draws.draw(*request)
            for view, array in zip(self._view(buffer, places), arrays, strict=True):
                if view.shape != array.shape or view.dtype != array.dtype:
                    raise RuntimeError(f'{request[0]}: expected {view.dtype} {view.shape} as before, '
                                       f'found {array.dtype} {array.shape}')
                view[...] = array


class Prefetch:
    """Fills host buffers for the next iteration in a thread, while this one runs.

    The state of `draws` moves only as what was drawn is taken, so a snapshot written at any time is that of what was
    trained on; where that state was changed from outside, as by loading a snapshot, what was drawn ahead is forgotten.

    Args:
        draws: Draws; where they cannot run ahead, each is made when it is asked for.
        inputs: the StaticInputs drawn for.
        buffers: two NumPy buffers of their size.
    """

    def __init__(self, draws, inputs, buffers):
        self.draws, self.inputs, self.buffers = draws, inputs, list(buffers)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='prefetch') if draws.runs_ahead else None
        self._ahead = self._drawer = self._begun_at = None

    def next(self, wait_until_free):
        """The buffer with the next iteration's inputs.

        `wait_until_free(i)` returns when buffer i may be overwritten; it is called from the thread.
        """
        if self._thread is None:
            wait_until_free(0)
            self.inputs.draw_into(self.buffers[0], self.draws)
            return 0
        if self._ahead is None or not _equal(self._begun_at, self.draws.state):
            self._forget()
            self._drawer = self.draws.ahead()
            self._start(0, wait_until_free)
        i, state = self._ahead.result()
        self.draws.state = state
        self._start(1 - i, wait_until_free)
        return i

    def _start(self, i, wait_until_free):
        drawer = self._drawer

        def fill():
            wait_until_free(i)
            self.inputs.draw_into(self.buffers[i], drawer)
            return i, drawer.state
        self._begun_at = drawer.state
        self._ahead = self._thread.submit(fill)

    def _forget(self):
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead.exception() if not self._ahead.cancelled() else None
            self._drawer.close()
            self._ahead = self._drawer = None

    def close(self):
        """Ends the threads."""
        if self._thread is not None:
            self._forget()
            self._thread.shutdown()
