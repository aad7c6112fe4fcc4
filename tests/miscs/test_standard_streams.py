"""Commands on streams that are not what they expect: other encodings, closed, full."""
import contextlib
import os
import re
import sys
import warnings
from types import SimpleNamespace

from source.miscs.standard_streams import standard_streams, told_warnings
from source.running import StoppedError, run
from tests import children
from tests.children import ROOT

import pytest

BLOCK = 'import sys\nfrom standard_streams import standard_streams\nwith standard_streams():\n    '
LATIN_1 = {'PYTHONIOENCODING': 'latin-1'}
ASCII = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}


@pytest.fixture
def command(monkeypatch):
    """Runs a line of Python within `standard_streams`, without the rest of the package, so that it starts sooner."""
    for name in os.environ:
        if name.startswith(('PYTHON', 'LC_', 'LANG')):
            monkeypatch.delenv(name)

    def command(script, env=None, **options):
        env = {'PYTHONPATH': str(ROOT / 'source' / 'miscs'), **(env or {})}
        return children.python('-c', BLOCK + script, env=env, text=False, **options)
    return command


@pytest.mark.parametrize('env, expected', [
    (LATIN_1, b'\\u540d \xe9 \\udcff'), (ASCII, b'\\u540d \\xe9 \\udcff'), ({}, '名 é \\udcff'.encode()),
    ({'PYTHONIOENCODING': 'latin-1:replace'}, b'? \xe9 ?')])
def test_what_a_stream_cannot_encode(command, env, expected):
    """It is escaped; what a user chose stays."""
    status, output, errors = command(
        r'text = "\u540d \xe9 \udcff"; print(text); print(text, file=sys.stderr)', env=env)
    assert (status, output, errors.count(b'\n')) == (0, expected + b'\n', 1)


@pytest.fixture
def closed():
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize('script, env, expected', [
    ('print("short")', {}, (141, b'')), ('print("short")', {'PYTHONUNBUFFERED': '1'}, (141, b'')),
    ('print("long " * 100000)', {}, (141, b'')), ('print("short"); sys.exit(0)', {}, (141, b'')),
    ('print("short"); sys.exit("wrong")', {}, (1, b'wrong\n'))])
def test_closed_output_ends_a_command_silently(command, closed, script, env, expected):
    """An error is what there is to tell."""
    status, _, errors = command(script, stdout=closed, env=env)
    assert (status, errors) == expected


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs /dev/full')
def test_full_output(command):
    with open('/dev/full', 'w') as full:
        status, _, errors = command('print("short")', stdout=full)
    assert (status, errors) == (2, b'-c: error: standard output: No space left on device\n')


def test_another_error_is_not_taken_for_the_outputs(command, closed):
    assert command('print("short"); print(1, file=sys.stderr)', stdout=closed, stderr=closed)[0] == 141
    status, _, errors = command('raise OSError(111, "Connection refused")', stdout=closed)
    assert status == 1 and errors.endswith(b'\nConnectionRefusedError: [Errno 111] Connection refused\n')
    with pytest.raises(BrokenPipeError), standard_streams():  # of a pipe of one's own to another program
        raise BrokenPipeError(32, 'Broken pipe')


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


def test_a_warning_is_one_line_above_the_bar(command):
    status, _, errors = command(WARNING)
    assert status == 0
    lines = re.findall(rb'(?:^|[\r\n])([^\r\n]*warn[^\r\n]*)\n', errors)
    assert lines == [b'warning: of two lines', b'warning: number 0', b'warning: number 1']
    assert errors.count(b'warn') == 3 and b'3/3' in errors


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
