import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

FORKING = '''
import multiprocessing
import time
from source.miscs.one_line_errors import one_line_errors

@one_line_errors
def main():
    with multiprocessing.get_context('fork').Pool(2) as pool:
        print(*pool.map(abs, range(4)), flush=True)
        time.sleep({seconds})
main()
'''


@contextlib.contextmanager
def forking(seconds):
    """A program whose pool goes on for some seconds; what hangs is ended with the block."""
    with subprocess.Popen([sys.executable, '-c', FORKING.format(seconds=seconds)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])},
                          start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_forked_processes_end_without_a_word():
    """As those of somebody's data set, which a pool ends by SIGTERM."""
    with forking(0) as process:
        assert process.communicate(timeout=60) == ('0 1 2 3\n', '')
    assert process.returncode == 0


def test_a_signal_to_all_is_told_by_one():
    """As `timeout` or a batch system sends it."""
    with forking(60) as process:
        assert process.stdout.readline() == '0 1 2 3\n'
        os.killpg(process.pid, signal.SIGTERM)
        assert process.communicate(timeout=50)[1] == 'terminated\n'
    assert process.returncode == 128 + signal.SIGTERM
