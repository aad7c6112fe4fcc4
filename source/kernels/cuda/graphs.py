"""CUDA graphs by CuPy: a stream and memory of their own, buffers for inputs, recording and launching."""
import contextlib
import gc

import cupy
import cupyx
import numpy as np


class SideStream:
    """For work beside that of the current stream, which waits for it each time: `begin`, then `running`, once or more.

    Memory serves the next array of its own stream as soon as Python drops the last, whether or not another stream has
    read it by then. So an array that is made on the side and read on the current stream goes to `keep`, and one that is
    read the other way must live until `running` has ended.
    """

    def __init__(self):
        self._stream, self._kept = cupy.cuda.Stream(non_blocking=True), []

    def begin(self):
        """What follows on the side comes after what the current stream was given so far, and may take what was kept."""
        self._stream.wait_event(cupy.cuda.get_current_stream().record())
        self._kept.clear()

    @contextlib.contextmanager
    def running(self):
        """On the side; what the current stream is given afterwards waits for it."""
        outer = cupy.cuda.get_current_stream()
        with self._stream:
            yield
        outer.wait_event(self._stream.record())

    def keep(self, array):
        self._kept.append(array)


class Graphs:
    """What `source.iteration.captured_step` needs of a GPU.

    A graph writes to the memory that its recording used, whenever it is launched. So that memory comes from a pool that
    serves nothing else: warm-ups and recording allocate there (`recording`), everything later elsewhere (`running`).
    """

    def __init__(self):
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._copies = cupy.cuda.Stream(non_blocking=True)
        self._pools = [cupy.cuda.MemoryPool()]  # of all recordings: arrays of earlier ones may still be in use
        self._staging, self._copied, self._read, self._has_graph = {}, {}, {}, False
        self.side_streams = {'generator': SideStream(), 'fakes': SideStream()}

    @contextlib.contextmanager
    def running(self):
        """On the graphs' stream, after what the current stream was given, and before what it will be."""
        outer = cupy.cuda.get_current_stream()
        self._stream.wait_event(outer.record())
        try:
            with self._stream:
                yield
        finally:
            outer.wait_event(self._stream.record())

    @contextlib.contextmanager
    def recording(self):
        """`running`, with memory from the pool of the next recording."""
        if self._has_graph:
            self._pools.append(cupy.cuda.MemoryPool())
            self._has_graph = False
        with self.running(), cupy.cuda.using_allocator(self._pools[-1].malloc):
            yield

    @staticmethod
    def empty(n_bytes):
        return cupy.empty(n_bytes, np.uint8)

    @staticmethod
    def host_buffer(n_bytes):
        """Pinned, so that copies from it go on beside Python."""
        return cupyx.empty_pinned(n_bytes, np.uint8)

    def copy(self, i, host, device):
        """host, the buffer with number i, to `device`; from a stream of its own, while the last launch still runs."""
        if i not in self._staging or self._staging[i].size != host.size:
            self._staging[i] = cupy.empty(host.size, np.uint8)
            self._stream.synchronize()
        staging = self._staging[i]
        if i in self._read:
            self._copies.wait_event(self._read[i])
        staging.set(host, stream=self._copies)
        self._copied[i] = self._copies.record()
        self._stream.wait_event(self._copied[i])
        device.data.copy_from_device_async(staging.data, host.size, self._stream)
        self._read[i] = self._stream.record()

    def wait_until_copied(self, i):
        """Returns when host buffer i may be overwritten."""
        if i in self._copied:
            self._copied[i].synchronize()

    def capture(self, step):
        """(graph, what the step returns); the step's arrays are computed by a launch."""
        with self.recording():
            gc.collect()
            gc.disable()  # what a destructor might do is not for a recording
            self._stream.begin_capture()
            try:
                result = step()
            except BaseException:
                with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):
                    self._stream.end_capture()  # a broken recording says so a second time
                raise
            finally:
                gc.enable()
            graph = self._stream.end_capture()
        self._has_graph = True
        graph.upload(self._stream)
        return graph, result

    def launch(self, graph):
        with self.running():
            graph.launch(self._stream)
