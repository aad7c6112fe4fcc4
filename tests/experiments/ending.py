"""Waiting for a command that was told to stop; one that does not says where it hangs, and is gone."""
import os
import signal
import subprocess

import pytest

TRACED = {**os.environ, 'PYTHONFAULTHANDLER': '1'}  # the environment to start it in


def wait(process, outputs, seconds=60):
    """The exit status. `outputs` are the files that its stderr and its workers' go to."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        children = subprocess.run(['pgrep', '-P', str(process.pid)], capture_output=True, text=True).stdout.split()
        for pid in (process.pid, *map(int, children)):
            os.kill(pid, signal.SIGABRT)
        process.wait()
        pytest.fail('\n'.join([f'still running after {seconds} s', *(path.read_text()[-3000:] for path in outputs)]))
