"""What is drawn ahead: the same as drawn when asked, from a state that moves as draws are taken alone."""
import threading

from source.datasets.batch_iterator import BatchIterator
from source.datasets.image_dataset import ImageDataset
from source.iteration.inputs import Draws, LiveInputs, Prefetch, StaticInputs
from source.miscs.noise_sampler import NoiseSampler

import chainer
import numpy as np
import pytest

ASKED = [('continuous', 3), ('real', None), ('categorical', 4)]


def new_draws(sampler_class=NoiseSampler):
    ims = np.random.RandomState(0).randint(256, size=(20, 3, 2, 2), dtype=np.uint8)
    iterator = BatchIterator(ImageDataset(ims, np.arange(20) % 5, n_classes=5), 4, 3)
    return Draws(iterator, sampler_class(3, 5, seed=1), chainer.dataset.concat_examples, as_uint8=True)


class Buffers:
    """Two host buffers; `waited` holds those whose copies were waited for since they were handed out."""

    def __init__(self, draws):
        self.draws, self.waited = draws, []
        live = LiveInputs(new_draws(), chainer.get_device('@numpy'))
        for request in ASKED:
            live(*request)
        self.inputs = StaticInputs(live.requests, lambda n: np.zeros(n, np.uint8))
        self.buffers = [np.zeros(self.inputs.n_bytes, np.uint8) for _ in range(2)]
        self.prefetch = Prefetch(self.draws, self.inputs, self.buffers)

    def assert_next(self, draws):
        """The next inputs, after those drawn ahead have come to be, are what `draws` draws; returns which buffer."""
        i = self.prefetch.next(self.waited.append)
        if self.prefetch._thread is not None:
            self.prefetch._ahead.exception()
        self.inputs.buffer[...] = self.buffers[i]
        self.inputs.begin()
        for request in ASKED:
            for a, expected in zip(self.inputs(*request), draws.draw(*request), strict=True):
                np.testing.assert_array_equal(a, expected)
        return i


@pytest.fixture
def ahead():
    buffers = Buffers(new_draws())
    yield buffers
    buffers.prefetch.close()


def test_what_is_drawn_ahead(ahead):
    """Each iteration's inputs, and after each the state of what was taken, though more has been drawn by then."""
    live = new_draws()
    for k in range(6):
        assert ahead.assert_next(live) == k % 2
        assert ahead.draws.iterator.n_drawn == live.iterator.n_drawn
        for one, other in zip(ahead.draws.state[1], live.state[1], strict=True):
            np.testing.assert_array_equal(one, other)
    assert ahead.waited == [0, 1] * 3 + [0]


@pytest.mark.parametrize('change', [
    lambda draws: draws.sampler.rng.random_sample(),  # moves NumPy's position, not its words
    lambda draws: draws.sampler.rng.seed(9), lambda draws: draws.iterator.next_ims(),
    lambda draws: draws.sampler.rng.normal()], ids=['position', 'seed', 'iterator', 'second normal number'])
def test_a_state_changed_from_outside_is_followed(ahead, change):
    """What was drawn ahead of another state is forgotten."""
    live = new_draws()
    for n in (2, 3):
        for _ in range(n):
            ahead.assert_next(live)
        for draws in (ahead.draws, live):
            change(draws)


def test_a_source_of_another_kind_draws_when_asked():
    before, live = set(threading.enumerate()), new_draws()
    buffers = Buffers(new_draws(type('Other', (NoiseSampler,), {})))
    assert [buffers.assert_next(live) for _ in range(3)] == [0] * 3
    assert buffers.waited == [0] * 3 and not set(threading.enumerate()) - before


def test_a_step_that_asks_otherwise_is_refused(ahead):
    ahead.inputs(*ASKED[0])
    with pytest.raises(RuntimeError, match=r"asked for \('continuous', 3\) where .* asked for \('real', None\)"):
        ahead.inputs('continuous', 3)
    draws = new_draws()
    draws.iterator.batch_size = 3
    with pytest.raises(RuntimeError, match=r'real: expected uint8 \(4, 3, 2, 2\) as before, found uint8 \(3, 3,'):
        ahead.inputs.draw_into(ahead.buffers[0], draws)
