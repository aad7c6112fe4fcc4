"""Streams, buffers and memory of captured steps, on a device that does everything as late as it may."""
import gc
import importlib
import itertools
import sys

from tests.kernels.cuda.late_device import NAMES, LateDevice

import numpy as np
import pytest

EVERY_ORDER = pytest.mark.parametrize('device', list(itertools.permutations(NAMES)), ids='-'.join, indirect=True)
N_STEPS = 7


@pytest.fixture
def device(request, monkeypatch):
    device = LateDevice(getattr(request, 'param', NAMES))
    monkeypatch.setitem(sys.modules, 'cupy', device.cupy)
    monkeypatch.setitem(sys.modules, 'cupyx', device.cupyx)
    monkeypatch.delitem(sys.modules, 'source.kernels.cuda.graphs', raising=False)
    device.graphs = importlib.import_module('source.kernels.cuda.graphs').Graphs()
    yield device
    del sys.modules['source.kernels.cuda.graphs']


@EVERY_ORDER
def test_every_launch_reads_its_own_inputs(device):
    """Also after what the caller's stream was given before, and before what it is given then."""
    graphs, (outer,) = device.graphs, device.current
    buffer, buffers = graphs.empty(4), [graphs.host_buffer(4) for _ in range(2)]
    weight, results, seen = np.zeros(4), np.zeros(4), []

    def step():
        device.current[-1].add(lambda: np.copyto(results, buffer.bytes + weight))
    graph = None
    for k in range(N_STEPS):
        i = k % 2
        graphs.wait_until_copied(i)
        buffers[i][...] = k
        with graphs.running():
            graphs.copy(i, buffers[i], buffer)
        if graph is None:
            graph, _ = graphs.capture(step)
        outer.add(lambda k=k: weight.fill(100 * k))
        graphs.launch(graph)
        outer.add(lambda: seen.append(results.tolist()))
    device.finish()
    assert seen == [[101. * k] * 4 for k in range(N_STEPS)]


@EVERY_ORDER
def test_launches(device):
    """Recording computes nothing; a launch does not wait for the host: the next inputs are copied while it may still
    run, and nothing before `wait_until_copied` makes the device work.
    """
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


def test_a_recording_that_fails_is_ended(device):
    """So that the same stream runs on, garbage is collected again, and memory outside the pool is used."""
    def fail():
        assert not gc.isenabled()
        raise NotImplementedError('calling cuBLAS API during stream capture')
    with pytest.raises(NotImplementedError):
        device.graphs.capture(fail)
    assert gc.isenabled() and device.allocators == ['outside'] and len(device.current) == 1
    assert all(stream.capturing is None for stream in device.streams)
