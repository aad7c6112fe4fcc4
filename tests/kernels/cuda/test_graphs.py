"""Streams, buffers and memory of captured steps, on a device that does everything as late as it may."""
import gc
import importlib
import itertools
import sys

from tests.kernels.cuda.late_device import NAMES, LateDevice

import numpy as np
import pytest


def every_order(*names):
    """In which these streams may be emptied, and then the others."""
    orders = [(*order, *(name for name in NAMES if name not in names)) for order in itertools.permutations(names)]
    return pytest.mark.parametrize('device', orders, ids='-'.join, indirect=True)


EVERY_ORDER = every_order('outer', 'graphs', 'copies')
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


@every_order('outer', 'generator', 'fakes')
def test_a_side_stream(device):
    """Reads what was there when it began, not what came later; its results are there when it has run; and what was
    kept is not dropped before the stream begins again.
    """
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
