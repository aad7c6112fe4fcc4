"""Bars in a terminal, plain lines in a file."""
import sys

from source.command_line import progress_bar as module
from source.command_line.progress_bar import draws_bars, progress_bar

import pytest


@pytest.mark.parametrize('is_terminal, term, expected', [(True, 'xterm', True), (True, 'dumb', False),
                                                         (True, None, True), (False, 'xterm', False)])
def test_where_bars_are_drawn(monkeypatch, is_terminal, term, expected):
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: is_terminal, raising=False)
    monkeypatch.setenv('TERM', term) if term else monkeypatch.delenv('TERM', raising=False)
    assert draws_bars() == expected


def test_a_line_every_thirty_seconds(monkeypatch, capsys):
    now = [0.]
    monkeypatch.setattr(module, 'draws_bars', lambda: False)
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    with progress_bar(5000, 'images', initial=1000) as bar:
        for _ in range(4):
            now[0] += 20.
            bar.update(1000)
    assert capsys.readouterr().err == 'images: 3,000 of 5,000\nimages: 5,000 of 5,000\n'


def test_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(module, 'draws_bars', lambda: True)
    with progress_bar(3, 'images') as bar:
        bar.delay = 0
        bar.update(2)
        bar.refresh()
        assert 'images:  67%' in capsys.readouterr().err
