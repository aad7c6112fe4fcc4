import os
import signal

from source.miscs.stop_request import StopRequest
from tests import children

import pytest

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
def test_noted_between_iterations_only_and_the_second_ends_the_process_at_once(number):
    before = [signal.getsignal(each) for each in StopRequest.SIGNALS]
    stop = StopRequest()
    with stop.listening():
        assert not stop.look()
        os.kill(os.getpid(), number)
        assert not stop.made
        assert stop.look() and stop.made
    assert stop.name == signal.Signals(number).name
    assert [signal.getsignal(each) for each in StopRequest.SIGNALS] == before
    assert children.python('-c', SECOND, int(number)) == (-number, 'still here\n', '')


def test_processes_agree():
    stop = StopRequest(agree=lambda mine: True)
    assert stop.look()
    assert stop.name == 'a signal to another process'
