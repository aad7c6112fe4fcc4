"""What stands for CUDA graphs on a CPU: a 'graph' runs the recorded step's Python anew on the same buffers.

As on a GPU, recording computes nothing, a launch reads its input buffers when it runs, its results appear in the arrays
that recording returned, and a launch leaves no trace on the host: what Python counts by the way is taken back.
"""
import contextlib
from unittest import mock

import numpy as np


class FakeSideStream:
    """Notes where work is begun, run and kept."""

    def __init__(self):
        self.events = []

    def begin(self):
        self.events.append('begun')

    @contextlib.contextmanager
    def running(self):
        yield
        self.events.append('ran')

    def keep(self, array):
        self.events.append('kept')


class FakeGraphs:
    """`updater`: whose step is recorded; `fails_with`: an error that recording raises."""

    recording = running = contextlib.nullcontext

    def __init__(self, updater, fails_with=None):
        self.updater, self.fails_with = updater, fails_with
        self.events, self._copying = [], set()
        self.side_streams = {name: FakeSideStream() for name in ('generator', 'fakes')}
        updater.graphs = self

    @staticmethod
    def empty(n_bytes):
        return np.full(n_bytes, 77, np.uint8)

    host_buffer = empty

    def copy(self, i, host, device):
        assert i not in self._copying, f'buffer {i} was filled while it may still have been copied'
        self._copying.add(i)
        device[...] = host
        host[...] = 99  # a buffer may be overwritten as soon as it is copied

    def wait_until_copied(self, i):
        self._copying.discard(i)

    def capture(self, step):
        arrays = self._device_arrays()
        before = [array.copy() for array in arrays]
        losses = step()
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        if self.fails_with is not None:
            raise self.fails_with
        for loss in losses.values():
            loss[...] = np.nan  # computed by a launch, not by recording
        self.events.append('captured')
        return (step, losses), losses

    def launch(self, graph):
        step, losses = graph
        host = [(part, part.t) for part in self.updater.counting_parts().values()]
        self.updater._captured._inputs.begin()
        error = AssertionError('the captured step sends arrays to its device')
        with mock.patch.object(type(self.updater.device), 'send', side_effect=error):
            for name, value in step().items():
                losses[name][...] = value
        for part, t in host:
            part.count(t - part.t)
        self.events.append('launched')

    def _device_arrays(self):
        """All that a step changes in place."""
        updater = self.updater
        arrays = [noise._state for noise in updater.image_noises if noise._state is not None]
        for optimizer in updater.get_all_optimizers().values():
            arrays.append(optimizer._state)
            for param in optimizer.target.params():
                arrays += [param.array, param.update_rule.state['m'], param.update_rule.state['v']]
        persistent = [getattr(link, name) for model in (updater.gen, updater.dis) for link in model.links()
                      for name in link._persistent]
        return arrays + [value for value in persistent if isinstance(value, np.ndarray)]
