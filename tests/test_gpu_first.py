"""The first run on a GPU: its parts, their order, limits and logs, with stand-ins for what they run."""
import importlib.util
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location('gpu_first', ROOT / 'tools' / 'gpu_first.py')
gpu_first = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gpu_first)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Runs parts, (name, limit, code) each, with logs in tmp_path; returns the exit status and the lines printed."""
    def run(*parts, wheels='nowhere'):
        monkeypatch.setattr(gpu_first, 'parts', lambda _: [(name, limit, ['-c', code]) for name, limit, code in parts])
        monkeypatch.setattr(gpu_first, 'GRACE', 2)
        monkeypatch.setattr(sys, 'argv', ['gpu_first.py', '--out', str(tmp_path), '--wheels', str(wheels)])
        status = gpu_first.main()
        return status, ''.join(capsys.readouterr()).splitlines()
    return run


def test_its_parts():
    """What must hold comes before what is measured, all of it in less than nine minutes, each file once."""
    parts = gpu_first.parts(Path('/out'))
    names, limits, commands = zip(*parts)
    assert names[0] == 'versions' and list(names[-3:]) == ['profile_cifar', 'profile_imagenet', 'bench']
    assert sum(limits) + gpu_first.GRACE < 540 and len(set(names)) == len(names)
    for command in commands:
        for word in map(str, command):
            if word.removeprefix('--ignore=').startswith(('tests/', 'benchmarks/')):
                assert (ROOT / word.removeprefix('--ignore=')).exists(), word
    tests = [command for command in commands if 'pytest' in command]
    assert all(command[command.index('-m', 2) + 1] == 'gpu' and 'default' in command for command in tests)


def test_every_part_has_its_log_and_leaves_the_others_but_for_the_first(run, tmp_path):
    first, last = ('first', 60, 'print("all is well")'), ('last', 60, 'print("still run")')
    status, lines = run(first, ('broken', 60, 'print("so far"); raise ValueError("no")'), last)
    assert status == 1
    assert [line.partition(' after')[0] for line in lines[:3]] == ['first: passed', 'broken: failed', 'last: passed']
    assert lines[0].endswith(': all is well') and lines[1].endswith(': ValueError: no')
    assert (tmp_path / 'broken.txt').read_text().startswith('so far')
    assert run(first, last)[0] == 0
    (tmp_path / 'last.txt').unlink()
    status, lines = run(('versions', 60, 'raise SystemExit("no CuPy")'), last)
    assert status == 1 and len(lines) == 2 and lines[0].endswith('no CuPy') and not (tmp_path / 'last.txt').exists()


@pytest.mark.parametrize('ending, is_killed', [('raise SystemExit("what failed so far")', False), ('pass', True)])
def test_a_part_out_of_time_may_say_what_failed(run, tmp_path, ending, is_killed):
    """And is killed, with what it has started, where it does not end."""
    code = ('import subprocess, sys, time\n'
            'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])\n'
            'print(child.pid, flush=True)\n'
            f'while True:\n    try:\n        time.sleep(600)\n    except KeyboardInterrupt:\n        {ending}')
    status, lines = run(('slow', 2, code), ('last', 60, ''))
    assert status == 1 and lines[0].startswith('slow: out of time after') and lines[1].startswith('last: passed')
    assert lines[0].endswith('what failed so far') != is_killed
    pid = int((tmp_path / 'slow.txt').read_text().split()[0])
    assert not Path(f'/proc/{pid}').exists() or 'State:\tZ' in Path(f'/proc/{pid}/status').read_text()


def test_packages_from_a_folder(run, tmp_path):
    """And one that does not fit."""
    wheels = tmp_path / 'wheels'
    wheels.mkdir()
    with zipfile.ZipFile(wheels / 'brought_along-1.0-py3-none-any.whl', 'w') as wheel:
        wheel.writestr('brought_along.py', 'NAME = "from a wheel"\n')
        for name, text in (('METADATA', 'Metadata-Version: 2.1\nName: brought-along\nVersion: 1.0\n'),
                           ('WHEEL', 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n'), ('RECORD', '')):
            wheel.writestr(f'brought_along-1.0.dist-info/{name}', text)
    code = 'import brought_along, os, source; print(brought_along.NAME, os.environ["SNGAN_CACHE"])'
    status, (line, *_) = run(('first', 60, code), wheels=wheels)
    assert status == 0 and 'from a wheel' in line and not Path(line.split()[-1]).exists()  # the caches go with the run
    other = wheels / 'other-1.0-cp27-none-win32.whl'
    other.write_bytes(b'')
    status, lines = run(('first', 60, ''), wheels=wheels)
    assert status == 2 and str(other) in lines[-1]


@pytest.mark.parametrize('target', ['gpu-test', 'gpu-bench', 'gpu-first'])
def test_make_keeps_the_packages_that_the_caller_has_brought(tmp_path, target):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho "looks in $PYTHONPATH"\n')
    python.chmod(0o755)
    for path, expected in (('/brought', f'{ROOT}:/brought'), ('', f'{ROOT}')):
        output = subprocess.run(['make', '-s', '-C', ROOT, target, f'CHECK_PYTHON={python}'], text=True, check=True,
                                stdout=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': path}).stdout
        assert {line for line in output.splitlines() if line.startswith('looks')} == {f'looks in {expected}'}


def test_interrupted(run, monkeypatch):
    """Ctrl-C ends the part that runs, too."""
    children = []

    def interrupted_once(child, timeout=None, wait=subprocess.Popen.wait):
        children.append(child)
        if len(children) == 1:
            raise KeyboardInterrupt
        return wait(child, timeout)
    monkeypatch.setattr(subprocess.Popen, 'wait', interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        run(('first', 60, 'import time; time.sleep(600)'))
    assert children[0].returncode in (-signal.SIGINT, -signal.SIGKILL, 1, 130)
