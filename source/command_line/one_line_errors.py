"""How a command line ends that is wrong, interrupted or terminated: in one line, with nothing half-written."""
import contextlib
import functools
import os
import signal
import sys
from pathlib import Path

from source.command_line.standard_streams import of_output, standard_streams
from source.files.folders import no_empty_folders


def one_line_errors(main, interrupted='interrupted'):
    """Turns what is wrong with a user's input into one line and exit status 2, Ctrl-C into `interrupted` and 130."""
    @functools.wraps(main)
    @standard_streams()
    def wrapped():
        try:
            with _cleanly_terminated(), no_empty_folders():
                main()
        except (ValueError, OSError) as error:
            if of_output(error):
                raise
            print(f'{Path(sys.argv[0]).name}: error: {message_of(error)}', file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print(interrupted, file=sys.stderr)
            sys.exit(130)
        except _Terminated:
            print('terminated', file=sys.stderr)
            sys.exit(128 + signal.SIGTERM)
    return wrapped


def message_of(error):
    """What a ValueError or OSError says; of the latter the file or stream first, without the number."""
    if reason := of_output(error):
        return reason
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return error.strerror if error.filename is None else f'{error.filename}: {error.strerror}'


class _Terminated(BaseException):
    pass


@contextlib.contextmanager
def _cleanly_terminated():
    """Within the block SIGTERM raises _Terminated, so that what is half-written goes; outside the main thread nothing.

    One more is ignored: `make` hands on the one that its children got too. A forked process ends without a word, by
    the signal itself: an exception raised there could come within code that drops it, and its parent would wait on.
    """
    own, came = os.getpid(), []

    def terminate(*_):
        if os.getpid() != own:
            end_by(signal.SIGTERM)
        if not came:
            came.append(True)
            raise _Terminated
    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # None: it was not Python's


def end_by(number):
    """End this process at once by the signal `number`, as if nothing had been listening."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
