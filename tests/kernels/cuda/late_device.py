"""A stand-in for CuPy's streams, events and graphs whose device does everything as late as it may.

Work is queued, and done when something waits for it: then only what that needs, in the order of one stream, and across
streams in the order that events ask for alone. Whatever relies on more comes out wrong. At the end (`finish`) streams
are emptied one after the other, in the order of `priority`, names of streams.
"""
import contextlib
from types import SimpleNamespace

import numpy as np

NAMES = 'outer', 'graphs', 'copies', 'generator', 'fakes'  # of streams, in the order in which they are made


class Event:
    def __init__(self, stream):
        self.stream, self.position = stream, stream.n_queued

    def synchronize(self):
        self.stream.work_until(self.position)


class Stream:
    def __init__(self, device):
        self.device, self.name, self.ptr = device, NAMES[len(device.streams)], id(self)
        self.queue, self.n_done, self.n_queued, self.capturing = [], 0, 0, None
        device.streams.append(self)

    def add(self, work):
        if self.capturing is not None:
            self.capturing.append(work)
            return
        self.queue.append(work)
        self.n_queued += 1

    def work_until(self, position):
        while self.n_done < position:
            work = self.queue[self.n_done]
            if isinstance(work, Event):
                work.synchronize()
            else:
                work()
            self.n_done += 1

    def record(self):
        return Event(self)

    def wait_event(self, event):
        assert self.capturing is None, 'a recording waits for what is outside it'
        self.add(event)

    def synchronize(self):
        self.work_until(self.n_queued)

    def begin_capture(self):
        assert self.capturing is None
        self.capturing = []

    def end_capture(self):
        works, self.capturing = self.capturing, None

        def launch(stream):
            for work in works:
                stream.add(work)
        return SimpleNamespace(launch=launch, upload=lambda stream: None)

    def __enter__(self):
        self.device.current.append(self)
        return self

    def __exit__(self, *error):
        self.device.current.pop()


class Array:
    """Bytes on the device; its methods are the few that `Graphs` calls."""

    def __init__(self, n_bytes, dtype):
        self.bytes, self.size = np.zeros(n_bytes, dtype), n_bytes
        self.data = SimpleNamespace(bytes=self.bytes, copy_from_device_async=self._copy_from)

    def set(self, host, stream):
        stream.add(lambda: np.copyto(self.bytes, host))

    def _copy_from(self, data, n_bytes, stream):
        assert n_bytes == self.size
        stream.add(lambda: np.copyto(self.bytes, data.bytes))


class LateDevice:
    """`cupy` and `cupyx` stand for the modules."""

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
        for stream in sorted(self.streams, key=lambda stream: self.priority.index(stream.name)):
            stream.synchronize()
