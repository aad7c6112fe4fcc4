"""Commands on streams that are not what they expect: other encodings, closed, full."""
import contextlib
import errno
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

from source.miscs.standard_streams import standard_streams, told_warnings
from source.running import StoppedError, run

import pytest

ROOT = Path(__file__).parents[2]
LATIN_1 = {'PYTHONIOENCODING': 'latin-1'}
BLOCK = 'import sys\nfrom standard_streams import standard_streams\nwith standard_streams():\n    '
ASCII = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}


def command(*arguments, script=None, environ=None, **options):
    """Runs a script of the repository, or a line of Python within `standard_streams` alone, which starts sooner."""
    start, path = [ROOT / arguments[0], *arguments[1:]] if arguments else ['-c', BLOCK + script], ROOT
    if script:
        path = ROOT / 'source' / 'miscs'
    without = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'LC_', 'LANG'))}
    options = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **options}
    return subprocess.run([sys.executable, *map(str, start)], timeout=60,
                          env={**without, 'PYTHONPATH': str(path), **(environ or {})}, **options)


@pytest.mark.parametrize('environ, expected', [
    (LATIN_1, b'\\u540d \xe9 \\udcff'), (ASCII, b'\\u540d \\xe9 \\udcff'), ({}, '名 é \\udcff'.encode()),
    ({'PYTHONIOENCODING': 'latin-1:replace'}, b'? \xe9 ?')])
def test_what_a_stream_cannot_encode(environ, expected):
    """It is escaped; what a user chose stays."""
    done = command(script=r'text = "\u540d \xe9 \udcff"; print(text); print(text, file=sys.stderr)',
                   environ=environ)
    assert (done.returncode, done.stdout) == (0, expected + b'\n')
    assert done.stderr.count(b'\n') == 1


def test_a_command_on_a_path_that_is_not_latin_1(tmp_path):
    folder = tmp_path / '名'
    folder.mkdir()
    (folder / 'scores.json').write_text(json.dumps(
        {'samples': 'a', 'protocol': 'config', 'feature_network': 'digits', 'paper_row': None, 'fid': 4.}))
    done = command('evaluations/compare_paper.py', folder, '--measured', environ=LATIN_1)
    assert (done.returncode, done.stderr) == (0, b'No published number was measured.\n')
    assert b'\\u540d/scores.json: FID 4.00' in done.stdout


@pytest.fixture
def closed():
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize('script', ['print("short")', 'print("long " * 100000)', 'print("short"); sys.exit(0)'])
@pytest.mark.parametrize('environ', [{}, {'PYTHONUNBUFFERED': '1'}])
def test_closed_output_ends_a_command_silently(closed, script, environ):
    done = command(script=script, stdout=closed, environ=environ)
    assert (done.returncode, done.stderr) == (141, b'')


def test_closed_output_and_an_error(closed):
    """The error is what there is to tell."""
    done = command(script='print("short"); sys.exit("wrong")', stdout=closed)
    assert (done.returncode, done.stderr) == (1, b'wrong\n')


def test_both_closed(closed):
    assert command(script='print("short"); print(1, file=sys.stderr)', stdout=closed, stderr=closed).returncode == 141


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs /dev/full')
def test_full_output():
    with open('/dev/full', 'w') as full:
        done = command(script='print("short")', stdout=full)
    assert (done.returncode, done.stderr) == (2, b'-c: error: standard output: No space left on device\n')


def test_another_error_is_not_taken_for_the_outputs(closed):
    done = command(script='raise OSError(111, "Connection refused")', stdout=closed)
    assert done.returncode == 1 and done.stderr.endswith(b'\nConnectionRefusedError: [Errno 111] Connection refused\n')


def test_a_command_whose_output_is_closed(closed):
    done = command('experiments.py', 'list', stdout=closed)
    assert (done.returncode, done.stderr) == (141, b'')


def test_a_training_whose_output_is_closed(closed, monkeypatch, tmp_path):
    """It stops in one line, as where a file cannot be written; another's broken pipe is not taken for it."""
    def failing(write):
        stop = SimpleNamespace(listening=contextlib.nullcontext)
        return SimpleNamespace(stop_trigger=SimpleNamespace(stop=stop), out=tmp_path, run=lambda **_: write(),
                               updater=SimpleNamespace(iteration=7))

    def others():
        raise BrokenPipeError(32, 'Broken pipe')
    with pytest.raises(StoppedError, match=r'^Broken pipe; training stopped at iteration 7; there is no'):
        run(failing(others))
    stream = open(os.dup(closed), 'w')
    monkeypatch.setattr(sys, 'stdout', stream)
    with pytest.raises(StoppedError, match='^standard output was closed; training stopped at iteration 7; there is no'):
        run(failing(lambda: print('an entry of the log', flush=True)))
    with pytest.raises(BrokenPipeError):
        stream.close()


WARNING = """
    import warnings
    from tqdm import tqdm
    with tqdm(total=3, mininterval=0) as bar:
        for k in range(3):
            warnings.warn("of two\\n  lines")
            warnings.warn(f"number {k % 2}", RuntimeWarning)
            bar.update()
"""


def test_a_warning_is_one_line_above_the_bar():
    done = command(script=WARNING)
    assert done.returncode == 0
    lines = re.findall(rb'(?:^|[\r\n])([^\r\n]*warn[^\r\n]*)\n', done.stderr)
    assert lines == [b'warning: of two lines', b'warning: number 0', b'warning: number 1']
    assert done.stderr.count(b'warn') == 3 and b'3/3' in done.stderr


def test_told_warnings(capsys, recwarn):
    """Its list is of what was told; outside, warnings are whose they were."""
    with told_warnings(UserWarning) as told:
        for text in 'a', 'b', 'a':
            warnings.warn(text, stacklevel=1)
    assert told == ['a', 'b'] and capsys.readouterr().err == 'warning: a\nwarning: b\n'
    warnings.warn('c', stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ['c']


def test_warnings_are_errors_where_the_filters_say_so():
    with told_warnings(), pytest.raises(RuntimeWarning):
        warnings.warn('a', RuntimeWarning, stacklevel=1)


def test_a_pipe_of_ones_own_is_not_an_output():
    """The traceback of a broken pipe to another program stays."""
    with pytest.raises(BrokenPipeError), standard_streams():
        raise BrokenPipeError(errno.EPIPE, 'Broken pipe')
