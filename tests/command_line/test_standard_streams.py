"""Commands on streams that are not what they expect: other encodings, closed, full; and on signals."""
import os
import re
import signal
import sys
import warnings
from unittest import mock

from source.command_line.standard_streams import standard_streams, told_warnings
from source.training.running import StoppedError, run
from source.training.stop_request import StopRequest
from tests import children
from tests.children import ROOT

import pytest

BLOCK = 'import sys\nfrom standard_streams import standard_streams\nwith standard_streams():\n    '
WARNING = """
    import warnings
    from tqdm import tqdm
    with tqdm(total=3, mininterval=0) as bar:
        for k in range(3):
            warnings.warn("of two\\n  lines")
            warnings.warn(f"number {k % 2}", RuntimeWarning)
            bar.update()
"""
SECOND = '''
import os, signal, sys
from source.training.stop_request import StopRequest
with StopRequest().listening():
    os.kill(os.getpid(), signal.SIGINT)
    print('still here', flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))
    print('never')
'''
FORKING = '''
import multiprocessing, os, time
from source.command_line.one_line_errors import one_line_errors
from source.training.stop_request import StopRequest

def deaf():
    ready.set()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            time.sleep(10)
        except BaseException:
            pass

@one_line_errors
def main():
    with {}:
        process = forking.Process(target=deaf)
        process.start()
        ready.wait()
        process.terminate()
        process.join()
        print(process.exitcode)
forking = multiprocessing.get_context('fork')
ready = forking.Event()
main()
'''


@pytest.fixture
def command(monkeypatch):
    """Runs a line of Python within `standard_streams`, without the rest of the package, so that it starts sooner."""
    for name in os.environ:
        if name.startswith(('PYTHON', 'LC_', 'LANG')):
            monkeypatch.delenv(name)

    def command(script, env=None, **options):
        env = {'PYTHONPATH': str(ROOT / 'source' / 'command_line'), **(env or {})}
        return children.python('-c', BLOCK + script, env=env, text=False, **options)
    return command


@pytest.fixture
def closed():
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize('env, expected', [
    ({'PYTHONIOENCODING': 'latin-1'}, b'\\u540d \xe9 \\udcff'), ({}, '名 é \\udcff'.encode()),
    ({'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}, b'\\u540d \\xe9 \\udcff'),
    ({'PYTHONIOENCODING': 'latin-1:replace'}, b'? \xe9 ?')])
def test_what_a_stream_cannot_encode(command, env, expected):
    """It is escaped; what a user chose stays."""
    status, output, errors = command(r't = "\u540d \xe9 \udcff"; print(t); print(t, file=sys.stderr)', env=env)
    assert (status, output, errors.count(b'\n')) == (0, expected + b'\n', 1)


@pytest.mark.parametrize('script, env, expected', [
    ('print("short")', {}, (141, b'')), ('print("short")', {'PYTHONUNBUFFERED': '1'}, (141, b'')),
    ('print("long " * 100000)', {}, (141, b'')), ('print("short"); sys.exit(0)', {}, (141, b'')),
    ('print("short"); sys.exit("wrong")', {}, (1, b'wrong\n'))])
def test_closed_output_ends_a_command_silently(command, closed, script, env, expected):
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
    def others(**_):
        raise BrokenPipeError(32, 'Broken pipe')
    stream = open(os.dup(closed), 'w')
    for what, training in (('Broken pipe', others),
                           ('standard output was closed', lambda **_: print('an entry of the log', flush=True))):
        trainer = mock.MagicMock(run=training, out=tmp_path, updater=mock.Mock(iteration=7))
        with pytest.raises(StoppedError, match=f'^{what}; training stopped at iteration 7; there is no'):
            run(trainer)
        monkeypatch.setattr(sys, 'stdout', stream)  # of the next one
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_warning_is_one_line_above_the_bar(command):
    status, _, errors = command(WARNING)
    assert status == 0
    lines = re.findall(rb'(?:^|[\r\n])([^\r\n]*warn[^\r\n]*)\n', errors)
    assert lines == [b'warning: of two lines', b'warning: number 0', b'warning: number 1']
    assert errors.count(b'warn') == 3 and b'3/3' in errors


def test_told_warnings(capsys, recwarn):
    """Its list is of what was not told; outside, warnings are whose they were. They are errors where filters say so."""
    with told_warnings(kept=BytesWarning) as kept:
        for text, category in zip('abaccd', [UserWarning] * 3 + [BytesWarning] * 2 + [UserWarning], strict=True):
            warnings.warn(text, category, stacklevel=1)
    assert kept == ['c'] and capsys.readouterr().err == 'warning: a\nwarning: b\nwarning: d\n'
    warnings.warn('c', stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ['c']
    with told_warnings():
        warnings.simplefilter('error')
        with pytest.raises(RuntimeWarning):
            warnings.warn('a', RuntimeWarning, stacklevel=1)


@pytest.mark.parametrize('number', StopRequest.SIGNALS)
def test_a_signal_is_noted_between_iterations_only_and_the_second_ends_the_process_at_once(number):
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
    stop = StopRequest(agree=lambda mine: True)  # of another process
    assert stop.look() and stop.name == 'a signal to another process'


@pytest.mark.parametrize('listening', ['open(os.devnull)', 'StopRequest().listening()'], ids=['command', 'training'])
def test_forked_processes_end_without_a_word(listening):
    """By SIGTERM, as a pool ends those of somebody's data set, whatever code it comes upon."""
    assert children.python('-c', FORKING.format(listening)) == (0, f'{-signal.SIGTERM}\n', '')
