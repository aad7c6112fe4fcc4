import signal

from tests import children

import pytest

HANG = 'import time\ndef hang_here():\n    time.sleep(99)\nprint("begun", flush=True)\nhang_here()'


def test_a_program_that_hangs_is_ended_and_says_where():
    process = children.start(children.sys.executable, '-c', HANG)
    assert process.stdout.readline() == 'begun\n'
    with pytest.raises(pytest.fail.Exception, match='(?s)had not ended after 0.1 s.*hang_here'):
        children.finish(process, .1)
    assert process.returncode == -signal.SIGABRT


def test_a_program_that_ends_before_the_event():
    process = children.start(children.sys.executable, '-c', 'raise SystemExit("no luck")')
    with pytest.raises(pytest.fail.Exception, match='(?s)ended early.*no luck'):
        children.wait_until(lambda: False, process)


def test_an_event_that_does_not_come():
    process = children.start(children.sys.executable, '-c', HANG)
    with pytest.raises(pytest.fail.Exception, match='did not get there in 1 s'):
        children.wait_until(lambda: False, process, 1)
    assert process.returncode == -signal.SIGABRT
