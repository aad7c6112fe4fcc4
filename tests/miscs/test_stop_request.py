import os
import signal
import subprocess
import sys
from pathlib import Path

from source.miscs.stop_request import StopRequest

import pytest


@pytest.mark.parametrize('number', StopRequest.SIGNALS)
def test_noted_between_iterations_only(number):
    stop = StopRequest()
    with stop.listening():
        assert not stop.look()
        os.kill(os.getpid(), number)
        assert not stop.made
        assert stop.look()
        assert stop.made
    assert stop.name == signal.Signals(number).name


def test_handlers_come_back():
    before = [signal.getsignal(number) for number in StopRequest.SIGNALS]
    with StopRequest().listening():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in StopRequest.SIGNALS] == before


def test_processes_agree():
    stop = StopRequest(agree=lambda mine: True)
    assert stop.look()
    assert stop.name == 'a signal to another process'


SECOND = '''
import os, signal, sys
from source.miscs.stop_request import StopRequest
with StopRequest().listening():
    os.kill(os.getpid(), signal.SIGINT)
    print('still here', flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))
    print('never')
'''


@pytest.mark.parametrize('number', StopRequest.SIGNALS)
def test_the_second_ends_the_process_at_once(number):
    process = subprocess.run([sys.executable, '-c', SECOND, str(int(number))], capture_output=True, text=True,
                             env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])})
    assert process.returncode == -number
    assert process.stdout == 'still here\n'
    assert process.stderr == ''
