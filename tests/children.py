"""Programs that tests start: one that hangs is ended, and the failure says where it hung."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECONDS = 240  # far beyond what any needs, on a machine that is busy with other things too


def start(*command, env=None, **options):
    """Start a program, by default with its output kept as text; `env` is added to this process's environment."""
    options = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True, **options}
    env = {**os.environ, 'PYTHONPATH': str(ROOT), **(env or {}), 'PYTHONFAULTHANDLER': '1'}
    return subprocess.Popen(list(map(str, command)), env=env, **options)


def finish(process, seconds=SECONDS):
    """Wait for the end of a program; return (exit status, output, errors)."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _fail(process, f'had not ended after {seconds} s')
    return process.returncode, output, errors


def run(*command, seconds=SECONDS, **options):
    """`finish(start(...))`."""
    return finish(start(*command, **options), seconds)


def python(*arguments, **options):
    """`run` of this Python: `python('train.py', '--help')`, `python('-c', program)`."""
    return run(sys.executable, *arguments, **options)


def wait_until(event, process=None, seconds=SECONDS):
    """Wait until `event()` is true; fail if the program that is to bring it about ends first."""
    until = time.monotonic() + seconds
    while not event():
        if process is not None and process.poll() is not None:
            _fail(process, 'ended early')
        if time.monotonic() > until:
            if process is None:
                pytest.fail(f'{event} did not come true in {seconds} s')
            _fail(process, f'did not get there in {seconds} s')
        time.sleep(.005)


def _fail(process, what):
    process.send_signal(signal.SIGABRT)  # upon which Python writes the stacks of its threads
    try:
        told = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:  # or a process that it started holds its output open
        process.kill()
        told = ()
    told = [text if isinstance(text, str) else text.decode(errors='replace') for text in told if text]
    pytest.fail('\n'.join([f'{process.args} {what}', *told]))
