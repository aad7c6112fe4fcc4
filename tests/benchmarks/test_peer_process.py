"""A benchmark's peer that fails or takes too long is an error of its side, in one line, and leaves nothing running."""
import time

from benchmarks import peer_process

import pytest


def run(folder, monkeypatch, code, limit=None):
    """`run_peer` of a module with this code."""
    package = folder / 'benchmarks' / 'peers'
    package.mkdir(parents=True)
    (package / 'made_up.py').write_text(code)
    monkeypatch.setattr(peer_process, 'ROOT', folder)
    monkeypatch.chdir(folder)
    return peer_process.run_peer('a side', 'made_up', {'n': 3}, 1, 'python3', limit)


WORKER = 'import subprocess\nsubprocess.Popen(["sleep", "600"])\n'  # which holds the pipes open


def test_answers_beside_a_worker_that_lives_on(tmp_path, monkeypatch):
    code = 'import json, sys\nprint("by the way")\nprint(json.dumps({"got": json.load(sys.stdin)}))'
    assert run(tmp_path, monkeypatch, WORKER + code, 60) == {'got': {'n': 3, 'threads': 1}}


@pytest.mark.parametrize('code, message', [('raise KeyError("x")', "KeyError: 'x'"), ('exit(3)', 'exit status 3')])
def test_fails(tmp_path, monkeypatch, code, message):
    with pytest.raises(ValueError, match=f'^a side: .*made_up: {message}$'):
        run(tmp_path, monkeypatch, code)


def test_takes_too_long(tmp_path, monkeypatch):
    start = time.monotonic()
    with pytest.raises(ValueError, match='^a side: took longer than 1 s$'):
        run(tmp_path, monkeypatch, WORKER + 'import time\ntime.sleep(600)', 1)
    assert time.monotonic() - start < 60
