"""How long a run will take and what it holds, told once after ten iterations."""
import re
from types import SimpleNamespace

from source.extensions import forecast as module
from source.extensions.forecast import Forecast, forecast, memory
from source.training.triggers import EveryAndLast

import chainer
import numpy as np
import pytest

HELD = '1.0 GB of memory are held'


@pytest.mark.parametrize('seconds, n_iterations, n_scorings, expected', [
    (.1, 1210, 4, ['1,200 iterations of 0.1 s to go: about 2 min 0 s, besides scoring samples 4 times; ' + HELD]),
    (2., 370, 0, ['360 iterations of 2 s to go: about 12 min 0 s; ' + HELD]),
    (2., 2010, 1, ['2,000 iterations of 2 s to go: about 1 h 6 min, besides scoring samples; ' + HELD,
                   '--quick makes 400 iterations instead, about 13 min 20 s']),
    (2., 400, 0, ['390 iterations of 2 s to go: about 13 min 0 s; ' + HELD,
                  '--set iteration=30 takes about 1 min 0 s']),
    (100., 50, 0, ['40 iterations of 1e+02 s to go: about 1 h 6 min; ' + HELD,
                   '--set iteration=1 takes about 1 min 40 s'])])
def test_lines(seconds, n_iterations, n_scorings, expected):
    assert forecast(seconds, 10, n_iterations, n_scorings, HELD) == expected


def test_told_once_of_the_iterations_after_the_first_ones(monkeypatch, capsys):
    """Of a run resumed at 100; the first five, which compile, take ten times as long."""
    now = SimpleNamespace(seconds=0.)
    monkeypatch.setattr(module.time, 'perf_counter', lambda: now.seconds)
    updater = SimpleNamespace(iteration=100, gen=SimpleNamespace(device=chainer.get_device('@numpy')))
    trainer = SimpleNamespace(updater=updater)
    extension = Forecast(200, EveryAndLast(30, 200).n_after)
    extension.initialize(trainer)
    for iteration in range(101, 131):
        now.seconds += 5. if iteration <= 105 else .5
        updater.iteration = iteration
        extension(trainer)
    told, = capsys.readouterr().err.splitlines()
    assert told.startswith('90 iterations of 0.5 s to go: about 45 s, besides scoring samples 4 times; ')


@pytest.mark.parametrize('interval, last', [(3, 10), (5, 10), (20, 10), (1, 4)])
def test_scorings_left(interval, last):
    trigger = EveryAndLast(interval, last)
    fires = [trigger(SimpleNamespace(updater=SimpleNamespace(iteration=i))) for i in range(last + 1)]
    assert [trigger.n_after(i) for i in range(last + 1)] == [sum(fires[i + 1:]) for i in range(last + 1)]


def test_memory_is_that_of_the_process():
    held = np.ones(2 ** 27, np.uint8)
    found = re.fullmatch(r'(\d+\.\d) GB of memory are held', memory(chainer.get_device('@numpy')))
    assert held.nbytes / 1e9 <= float(found[1]) < 1000
