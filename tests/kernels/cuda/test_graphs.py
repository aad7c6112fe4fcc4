"""Streams, buffers and memory of captured steps, on a device that does everything as late as it may."""
import contextlib
import functools
import gc
import importlib
import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

N_STEPS = 7
NAMES = 'outer', 'graphs', 'copies', 'generator', 'fakes'  # of streams, in the order in which they are made


class Stream:
    def __init__(self, device):
        self.device, self.name, self.ptr = device, NAMES[len(device.streams)], id(self)
        self.queue, self.n_done, self.capturing = [], 0, None
        device.streams.append(self)

    def add(self, *work):
        (self.queue if self.capturing is None else self.capturing).extend(work)

    def work_until(self, position):
        while self.n_done < position:
            self.queue[self.n_done]()
            self.n_done += 1

    def record(self):
        """An event."""
        return SimpleNamespace(synchronize=functools.partial(self.work_until, len(self.queue)))

    def wait_event(self, event):
        assert self.capturing is None, 'a recording waits for what is outside it'
        self.add(event.synchronize)

    def synchronize(self):
        self.work_until(len(self.queue))

    def begin_capture(self):
        assert self.capturing is None
        self.capturing = []

    def end_capture(self):
        works, self.capturing = self.capturing, None
        return SimpleNamespace(launch=lambda stream: stream.add(*works), upload=lambda stream: None)

    def __enter__(self):
        self.device.current.append(self)
        return self

    def __exit__(self, *error):
        self.device.current.pop()


class Array:
    """Bytes on the device, and their own `data`."""

    def __init__(self, n_bytes, dtype):
        self.bytes, self.size, self.data = np.zeros(n_bytes, dtype), n_bytes, self

    def set(self, host, stream):
        stream.add(lambda: np.copyto(self.bytes, host))

    def copy_from_device_async(self, data, n_bytes, stream):
        assert n_bytes == self.size
        self.set(data.bytes, stream)


class LateDevice:
    """`cupy` and `cupyx` stand for the modules. Work is queued, and done when something waits for it: then only what it
    needs, in the order of one stream, and across streams as events ask. At the end (`finish`) streams are emptied one
    after the other, first those of `priority`, names of streams.
    """

    def __init__(self, priority):
        self.priority, self.streams, self.allocators = priority, [], ['outside']
        self.current = [Stream(self)]
        self.cupy = SimpleNamespace(empty=Array, cuda=SimpleNamespace(
            Stream=lambda non_blocking: Stream(self), get_current_stream=lambda: self.current[-1],
            MemoryPool=lambda: SimpleNamespace(malloc=object()), using_allocator=self._allocating,
            runtime=SimpleNamespace(CUDARuntimeError=RuntimeError)))
        self.cupyx = SimpleNamespace(empty_pinned=np.empty)

    @contextlib.contextmanager
    def _allocating(self, allocator):
        self.allocators.append(allocator)
        try:
            yield
        finally:
            self.allocators.pop()

    def finish(self):
        for stream in sorted(self.streams, key=lambda stream: [*self.priority, *NAMES].index(stream.name)):
            stream.synchronize()


def every_order(*names):
    """In which these streams may be emptied; the others come last."""
    return pytest.mark.parametrize('device', [*itertools.permutations(names)], ids='-'.join, indirect=True)


@pytest.fixture
def device(request, monkeypatch):
    device = LateDevice(getattr(request, 'param', ()))
    monkeypatch.setitem(sys.modules, 'cupy', device.cupy)
    monkeypatch.setitem(sys.modules, 'cupyx', device.cupyx)
    monkeypatch.delitem(sys.modules, 'source.kernels.cuda.graphs', raising=False)
    device.graphs = importlib.import_module('source.kernels.cuda.graphs').Graphs()
    yield device
    del sys.modules['source.kernels.cuda.graphs']


@every_order('outer', 'graphs', 'copies')
def test_every_launch_reads_its_own_inputs(device):
    """Also after what the caller's stream was given before, and before what it is given then."""
    graphs, (outer,) = device.graphs, device.current
    buffer, buffers = graphs.empty(4), [graphs.host_buffer(4) for _ in range(2)]
    weight, results, seen = np.zeros(4), np.zeros(4), []
    graph, _ = graphs.capture(lambda: device.current[-1].add(lambda: np.copyto(results, buffer.bytes + weight)))
    for k in range(N_STEPS):
        i = k % 2
        graphs.wait_until_copied(i)
        buffers[i][...] = k
        with graphs.running():
            graphs.copy(i, buffers[i], buffer)
        outer.add(lambda k=k: weight.fill(100 * k))
        graphs.launch(graph)
        outer.add(lambda: seen.append(results.tolist()))
    device.finish()
    assert seen == [[101. * k] * 4 for k in range(N_STEPS)]


@every_order('outer', 'graphs', 'copies')
def test_launches(device):
    """Recording computes nothing; the next inputs are copied while a launch may still run, and nothing waits for it."""
    graphs, done = device.graphs, []
    graph, result = graphs.capture(lambda: device.current[-1].add(lambda: done.append(1)) or 'what it returned')
    device.finish()
    assert done == [] and result == 'what it returned'
    buffer, host = graphs.empty(4), graphs.host_buffer(4)
    with graphs.running():
        for i in (0, 1):  # the first of each makes room on the device, which waits once
            graphs.copy(i, host, buffer)
    graphs.launch(graph)
    graphs.wait_until_copied(0)
    with graphs.running():
        graphs.copy(0, host, buffer)
    graphs.wait_until_copied(0)
    graphs.wait_until_copied(1)
    assert done == []
    graphs.launch(graph)
    device.finish()
    assert done == [1, 1]


def test_memory_of_a_recording_serves_nothing_else(device):
    """Warm-ups and their recording share a pool, the next ones have another; what runs otherwise has none of these."""
    graphs, used = device.graphs, []

    def note():
        used.append(device.allocators[-1])
    for _ in range(2):
        with graphs.recording():
            note()
        graphs.capture(note)
        with graphs.running():
            note()
    warm, recorded, outside, other_warm, other_recorded, other_outside = used
    assert warm is recorded and other_warm is other_recorded and warm is not other_warm
    assert outside == other_outside == 'outside'


@every_order('outer', 'generator', 'fakes')
def test_a_side_stream(device):
    """Reads what was there when it began; its results are there when it has run; what is kept lives until it begins."""
    (outer,), side = device.current, device.graphs.side_streams['generator']
    weight, result, seen = np.zeros(1), np.zeros(1), []
    for k in range(N_STEPS):
        outer.add(lambda k=k: weight.fill(k))
        side.begin()
        outer.add(lambda: seen.append(('beside', weight.item())))
        for _ in range(2):
            with side.running():
                device.current[-1].add(lambda: np.copyto(result, 10 * weight))
            outer.add(lambda: seen.append(('after', result.item())))
            side.keep(result)
    device.finish()
    assert seen == [pair for k in range(N_STEPS) for pair in (('beside', k), ('after', 10. * k), ('after', 10. * k))]
    assert side._kept == [result, result]


def test_a_recording_that_fails_is_ended(device):
    """So that the same stream runs on, garbage is collected again, and memory outside the pool is used."""
    def fail():
        assert not gc.isenabled()
        raise NotImplementedError('calling cuBLAS API during stream capture')
    with pytest.raises(NotImplementedError):
        device.graphs.capture(fail)
    assert gc.isenabled() and device.allocators == ['outside'] and len(device.current) == 1
    assert all(stream.capturing is None for stream in device.streams)
